// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Login() {
  return <Page title="Login">{null}</Page>;
}
