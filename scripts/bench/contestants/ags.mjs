// This project, through the same api functions, driver and role as its worker. What is left out is the agents' own work.
export { countedSteps, steps } from "./ags-steps.mjs";
export { intake } from "./ags-intake.mjs";
export { taskEndToEnd } from "./ags-task.mjs";
export { enqueueToStart } from "./ags-start.mjs";
export { claims } from "./ags-claims.mjs";
export { heldSnapshot } from "./ags-held.mjs";
