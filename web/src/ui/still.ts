// SPDX-License-Identifier: Apache-2.0
// A component that is drawn again only when something that it shows is another.
import { Component, type ComponentChildren } from "preact";

/** Compares the properties one by one; what is inside may still change by itself. */
export function still<P extends object>(draw: (props: P) => ComponentChildren) {
  return class Still extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return (Object.keys(next) as (keyof P)[]).some((name) => next[name] !== this.props[name]);
    }
    override render(): ComponentChildren {
      return draw(this.props);
    }
  };
}
