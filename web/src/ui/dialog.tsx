// SPDX-License-Identifier: Apache-2.0
// A dialog of the browser's own: it traps the focus, closes with Escape, and gives the focus back.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Button } from "./button";

/** The focus goes back to what opened the dialog; where that is taken away (a row that was deleted), to the heading of its
 *  part of the page, so that the keyboard does not begin again at the top. */
function giveBack(before: Element | null): void {
  if (!(before instanceof HTMLElement) || !before.isConnected) return;
  const heading = (before.closest("section, main") ?? document).querySelector<HTMLElement>("h1, h2");
  before.focus();
  const until = performance.now() + 5000;
  const look = () => {
    if (before.isConnected ? document.activeElement !== before : document.activeElement !== document.body) return; // moved on
    if (!before.isConnected) {
      heading?.setAttribute("tabindex", "-1");
      heading?.focus({ preventScroll: true });
    } else if (performance.now() < until) window.setTimeout(look, 150);
  };
  window.setTimeout(look, 150);
}

interface DialogProps {
  title: string;
  close: () => void;
  children: ComponentChildren;
  footer?: ComponentChildren;
  /** Makes it a form: Enter in a field does what the main button does. */
  submit?: () => void;
}

export function Dialog({ title, close, children, footer, submit }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const one = box.current;
    const before = document.activeElement;
    one?.showModal();
    // Not the button that closes it, which comes first: what is asked, or the way out that changes nothing.
    one?.querySelector<HTMLElement>(".dialog-body :is(input, select, textarea), footer button")?.focus();
    return () => {
      one?.close();
      giveBack(before);
    };
  }, []);
  const inside = (
    <>
      <header>
        <h2 id={id}>{title}</h2>
        <Button kind="quiet" size="small" icon="close" label="Close" onClick={close} />
      </header>
      <div class="dialog-body">{children}</div>
      {footer && <footer>{footer}</footer>}
    </>
  );
  return (
    <dialog
      ref={box}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onMouseDown={(event) => {
        if (event.target === box.current) close();
      }}
    >
      {submit ? (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          {inside}
        </form>
      ) : (
        inside
      )}
    </dialog>
  );
}
