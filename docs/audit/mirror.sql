-- lists: one entry of the external mirror's manifest that belongs to this domain (keys under dags/).
-- Read: one key is good; no row means that the mirror cannot restore anything, so investigate at once (mirror_missing says which case it is).
select object_key from public.one_drive_assets where object_key ilike 'dags/%' limit 1;
