// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";
import { App } from "./app";
import { listen } from "./router";
import { listenToKeys } from "./shell/keys";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/shell.css";

listen();
listenToKeys();
const place = document.getElementById("app");
if (place) render(<App />, place);
