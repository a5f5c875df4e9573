-- Nothing is seeded: people are added by an owner, the policy by `npm run ags -- policy activate`, and a task comes
-- through a door. Rows that came otherwise would have no audit trail. The Supabase CLI runs this after the migrations.
select 1;
