/** PodTemplates. */
import { podTemplates } from "../kinds.ts";
import { validatePodTemplate } from "../validation/pod/pod-template.ts";
import { behaviour } from "./behaviour.ts";
import { formatLabels, text } from "./cells.ts";
import { defaultPodTemplate } from "./pod-spec-defaults.ts";
import { templateWarnings } from "./pod-warnings.ts";

export const podTemplateBehaviour = behaviour(podTemplates, {
  defaults: (object) => defaultPodTemplate((object.template ??= {})),
  validate: ({ template = {} }) => validatePodTemplate(template, "template"),
  warnings: ({ template }, previous) => templateWarnings(template, previous?.template, "template"),
  generationFields: ({ template }) => template,
  ownAge: true,
  columns: [
    text("Containers", ({ template }) => (template?.spec?.containers ?? []).map(({ name }) => name).join(",")),
    text("Images", ({ template }) => (template?.spec?.containers ?? []).map(({ image }) => image ?? "").join(",")),
    text("Pod Labels", ({ template }) => formatLabels(template?.metadata?.labels)),
  ],
});
