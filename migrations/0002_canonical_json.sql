-- The promise of this file: the same value has one text and one hash, here and in RFC 8785.
-- Only objects with ASCII keys and string, array, object, boolean or null values are taken: a number has
-- more than one spelling, so decimals travel as text.

create function private.canonical_json(p_value jsonb) returns text
language plpgsql immutable set search_path = ''
as $$
declare
  v_text text;
begin
  case jsonb_typeof(p_value)
    when 'object' then
      if exists (select 1 from jsonb_object_keys(p_value) k where k !~ '^[\x20-\x7e]*$') then
        raise exception 'canonical_json takes ASCII keys only';
      end if;
      select '{' || coalesce(string_agg(to_json(e.key)::text || ':' || private.canonical_json(e.value), ','
        order by e.key collate "C"), '') || '}'
      into v_text from jsonb_each(p_value) e;
    when 'array' then
      select '[' || coalesce(string_agg(private.canonical_json(a.value), ',' order by a.ordinality), '') || ']'
      into v_text from jsonb_array_elements(p_value) with ordinality a;
    when 'number' then
      raise exception 'canonical_json takes decimals as text';
    else
      v_text := p_value::text;
  end case;
  return v_text;
end
$$;
comment on function private.canonical_json(jsonb) is
  'The one text of a value: keys sorted by code point, no white space; numbers are refused.';

create function private.sha256_hex(p_text text) returns text
language sql immutable strict parallel safe set search_path = ''
as $$ select encode(sha256(convert_to(p_text, 'UTF8')), 'hex') $$;
comment on function private.sha256_hex(text) is 'sha256 over the UTF-8 bytes, in hex.';

create function private.digest_json(p_value jsonb) returns text
language sql immutable strict set search_path = ''
as $$ select private.sha256_hex(private.canonical_json(p_value)) $$;
comment on function private.digest_json(jsonb) is 'sha256 of the canonical text.';
