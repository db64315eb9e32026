// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";
import { App } from "./app";
import { here, listen } from "./router";
import { warm } from "./screens";
import { listenToKeys } from "./shell/keys";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/shell.css";
import "./styles/print.css";

warm(here.value.path); // while we ask who is signed in
listen(warm);
listenToKeys();
const place = document.getElementById("app");
if (place) render(<App />, place);
