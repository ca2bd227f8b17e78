// What Grafana does at its start: registries of transformations and of field options, and how links are built.
import {
  booleanOverrideProcessor, dataLinksOverrideProcessor, displayNameOverrideProcessor, FieldConfigOptionsRegistry, fieldMatchers, identityOverrideProcessor, locationUtil, numberOverrideProcessor, standardTransformers,
  standardTransformersRegistry, stringOverrideProcessor, thresholdsOverrideProcessor, unitOverrideProcessor, valueMappingsOverrideProcessor,
} from '@grafana/data';
import { defaultsDeep } from 'lodash';

const STANDARD = {
  unit: unitOverrideProcessor, min: numberOverrideProcessor, max: numberOverrideProcessor, decimals: numberOverrideProcessor, fieldMinMax: booleanOverrideProcessor,
  displayName: displayNameOverrideProcessor, description: stringOverrideProcessor, noValue: stringOverrideProcessor, color: identityOverrideProcessor, thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor, links: dataLinksOverrideProcessor, filterable: booleanOverrideProcessor, actions: identityOverrideProcessor,
};
const GRAPH = {
  drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, lineStyle: { fill: 'solid' }, fillOpacity: 0, fillBelowTo: undefined, gradientMode: 'none', barAlignment: 0, barWidthFactor: 0.6, barMaxWidth: undefined,
  showPoints: 'auto', showValues: false, pointSize: 5, pointSymbol: undefined, lineColor: undefined, fillColor: undefined, pointColor: undefined, transform: undefined, stacking: { mode: 'none', group: 'A' }, spanNulls: false, insertNulls: false, hideFrom: { tooltip: false, viz: false, legend: false },
  axisPlacement: 'auto', axisLabel: '', axisWidth: undefined, axisColorMode: 'text', axisBorderShow: false, axisCenteredZero: false, axisGridShow: undefined, axisSoftMin: undefined, axisSoftMax: undefined,
  scaleDistribution: { type: 'linear' }, thresholdsStyle: { mode: 'off' },
};
const CUSTOM = {
  timeseries: GRAPH,
  'state-timeline': { lineWidth: 0, fillOpacity: 70, spanNulls: false, insertNulls: false, hideFrom: { tooltip: false, viz: false, legend: false }, axisPlacement: 'auto' },
  table: {
    align: 'auto', cellOptions: { type: 'auto' }, displayMode: undefined, width: undefined, minWidth: undefined, inspect: false, filterable: false, hidden: undefined, hideFrom: { viz: false }, wrapText: undefined, wrapHeaderText: undefined,
    footer: { reducers: [] }, tooltip: undefined, styleField: undefined,
  },
  stat: {},
  gauge: { neutral: undefined },
  bargauge: {},
};
export const KINDS = Object.keys(CUSTOM);
const COLOR = { timeseries: 'palette-classic', 'state-timeline': 'continuous-GrYlRd', stat: 'thresholds', gauge: 'thresholds', bargauge: 'thresholds', table: 'thresholds' };
const STEPS = [{ value: -Infinity, color: 'green' }, { value: 80, color: 'red' }];

const registries = {};

// The field options that a kind of panel knows: those of every kind, and its own.
export function registryOf(kind) {
  registries[kind] ??= new FieldConfigOptionsRegistry(() => [
    ...Object.entries(STANDARD).map(([path, process]) => option(path, path, process, false)),
    ...Object.keys(CUSTOM[kind]).map((path) => option(`custom.${path}`, path, identityOverrideProcessor, true)),
  ]);
  return registries[kind];
}

function option(id, path, process, isCustom) {
  const settings = process === stringOverrideProcessor || process === displayNameOverrideProcessor ? { expandTemplateVars: true } : {};
  return { id, path, name: id, isCustom, process, settings, shouldApply: (field) => path !== 'axisLabel' || field.type !== 'time', override: () => null, editor: () => null };
}

// A panel's field config with what Grafana puts where nothing is said.
export function fieldConfigOf(panel) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const steps = (thresholds) => ({ ...thresholds, steps: thresholds.steps.map((step, index) => ({ ...step, value: index === 0 || step.value === null ? -Infinity : step.value })) });
  return {
    defaults: {
      ...defaults,
      mappings: defaults.mappings ?? [],
      color: defaults.color ?? { mode: COLOR[panel.type] },
      thresholds: steps(defaults.thresholds?.steps?.length ? defaults.thresholds : { mode: 'absolute', steps: STEPS }),
      custom: defaultsDeep({}, defaults.custom, CUSTOM[panel.type]),
    },
    overrides: overrides.map((rule) => ({
      ...rule,
      properties: rule.properties.map((each) => (each.id === 'thresholds' ? { ...each, value: steps(each.value) } : each)),
    })),
  };
}

// What a panel asks for that is not known here, as sentences.
export function unknownParts(panel) {
  const found = [];
  const registry = registryOf(panel.type);
  for (const { matcher, properties } of panel.fieldConfig?.overrides ?? []) {
    if (!fieldMatchers.getIfExists(matcher.id)) {
      found.push(`matcher ${matcher.id}`);
    }
    found.push(...properties.filter(({ id }) => !registry.getIfExists(id)).map(({ id }) => `override ${id}`));
  }
  found.push(...Object.keys(panel.fieldConfig?.defaults?.custom ?? {}).filter((key) => !(key in CUSTOM[panel.type])).map((key) => `custom.${key}`));
  return [...new Set(found)];
}

// Why a panel cannot be drawn at all; undefined where it can.
export function refusal(panel) {
  if (panel.libraryPanel) {
    return 'library panel';
  }
  if (!KINDS.includes(panel.type)) {
    return `panel of type ${panel.type}`;
  }
  if (panel.repeat) {
    return `repeat for ${panel.repeat}`;
  }
  const transformation = (panel.transformations ?? []).find(({ id, disabled }) => !disabled && !standardTransformersRegistry.getIfExists(id));
  return transformation && `transformation ${transformation.id}`;
}

export function prepare(parameters) {
  standardTransformersRegistry.setInit(() => {
    const known = new Map(Object.values(standardTransformers).map((each) => [each.id, each]));
    return [...known].map(([id, transformation]) => ({ id, name: id, transformation, editor: () => null }));
  });
  locationUtil.initialize({ config: { appSubUrl: '' }, ...parameters });
}
