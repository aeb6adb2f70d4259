// Planning of components, by itself: it is loaded for the few applications whose components have to be looked into.

export { planBinary, planComponent } from "../component/mod.ts";
