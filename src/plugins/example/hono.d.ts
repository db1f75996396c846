/**
 * The part of Hono that plugins commonly use, so that an editor can check them without installing anything. All of Hono
 * is there when they run (https://hono.dev). If you install the package "hono", delete this file.
 */
declare module 'hono' {
  type Awaitable<T> = T | Promise<T>;
  type HtmlContent = string | Promise<string> | import('hono/jsx').Element;

  interface HonoRequest {
    readonly path: string;
    readonly url: string;
    readonly method: string;
    param(): Record<string, string>;
    param(name: string): string;
    query(): Record<string, string>;
    query(name: string): string | undefined;
    queries(name: string): string[] | undefined;
    header(name: string): string | undefined;
    parseBody(): Promise<Record<string, unknown>>;
    // biome-ignore lint/suspicious/noExplicitAny: whatever came
    json(): Promise<any>;
    text(): Promise<string>;
  }

  interface Context<E extends { Bindings?: object } = object> {
    readonly env: E extends { Bindings: infer B } ? B : object;
    readonly req: HonoRequest;
    html(content: HtmlContent, status?: number, headers?: Record<string, string>): Promise<Answer>;
    text(content: string, status?: number, headers?: Record<string, string>): Answer;
    json(content: unknown, status?: number, headers?: Record<string, string>): Answer;
    body(content: string | Uint8Array | null, status?: number, headers?: Record<string, string>): Answer;
    redirect(to: string, status?: number): Answer;
    notFound(): Awaitable<Answer>;
    header(name: string, value: string): void;
    status(code: number): void;
  }

  /** A Response. */
  interface Answer {
    readonly status: number;
  }

  type Handler<E extends { Bindings?: object }> = (
    c: Context<E>,
    next: () => Promise<void>,
    // biome-ignore lint/suspicious/noConfusingVoidType: what a middleware returns
  ) => Awaitable<Answer | undefined | void>;

  class Hono<E extends { Bindings?: object } = object> {
    get(path: string, ...handlers: Handler<E>[]): this;
    post(path: string, ...handlers: Handler<E>[]): this;
    all(path: string, ...handlers: Handler<E>[]): this;
    use(handler: Handler<E>): this;
    use(path: string, handler: Handler<E>): this;
    route(path: string, app: Hono<E>): this;
    onError(handler: (error: Error, c: Context<E>) => Awaitable<Answer>): this;
    notFound(handler: (c: Context<E>) => Awaitable<Answer>): this;
  }

  export { type Context, Hono };
}

declare module 'hono/http-exception' {
  class HTTPException extends Error {
    constructor(status: number, options?: { message?: string; cause?: unknown });
    readonly status: number;
  }

  export { HTTPException };
}

declare module 'hono/jsx' {
  interface Element {
    readonly tag: unknown;
  }
  type Child = string | number | boolean | null | undefined | Element | Promise<Element | null | string> | Child[];
  type PropsWithChildren<P = unknown> = P & { children?: Child | undefined };
  type FC<P = Record<string, never>> = (props: P) => Element | Promise<Element> | null;

  export type { Child, Element, FC, PropsWithChildren };
}

declare module 'hono/jsx/jsx-runtime' {
  import type { Child, Element as Node } from 'hono/jsx';

  namespace JSX {
    type Element = Node;
    type ElementType = string | ((props: never) => Node | Promise<Node> | null);
    interface ElementChildrenAttribute {
      children: Child;
    }
    interface IntrinsicElements {
      // biome-ignore lint/suspicious/noExplicitAny: attributes are not checked
      [tag: string]: any;
    }
  }
  export const jsx: unknown;
  export const jsxs: unknown;
  export const Fragment: (props: { children?: Child }) => Node;
  export type { JSX };
}
