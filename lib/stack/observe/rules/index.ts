export { RecordingRule, type RecordingRuleProps } from './recording-rule';
export { RuleFile, RuleGroup, type RuleGroupProps } from './rule-file';
export { StackRules } from './stack-rules';
