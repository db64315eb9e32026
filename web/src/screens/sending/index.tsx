// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Sending() {
  return <Page title="Sending">{null}</Page>;
}
