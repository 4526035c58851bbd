// govuk-frontend ships no types of its own.
declare module "govuk-frontend" {
    export class Button {
        constructor(root: Element, config?: {preventDoubleClick?: boolean});
    }
    export class ErrorSummary {
        constructor(root: Element, config?: {disableAutoFocus?: boolean});
    }
    export class SkipLink {
        constructor(root: Element);
    }
}
