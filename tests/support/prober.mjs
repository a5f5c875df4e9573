// One process of several: asks for the leave to call, many times at once, and prints what it was given.
import postgres from "postgres";

const [url, tool, calls, startAt] = process.argv.slice(2);
const sql = postgres(url, {
  max: 5,
  fetch_types: false,
  onnotice: () => {},
  connection: { role: "service_role" },
});
const admit = async () => {
  const [{ answer }] = await sql`select api.admit_call(${tool}) as answer`;
  return answer;
};
// Connected and warm before the common moment: what is raced is the admission, not the login.
await Promise.all(Array.from({ length: 5 }, () => sql`select 1`));
await new Promise((resolve) => setTimeout(resolve, Number(startAt) - Date.now()));
const answers = await Promise.all(Array.from({ length: Number(calls) }, admit));
console.log(JSON.stringify(answers));
await sql.end({ timeout: 5 });
