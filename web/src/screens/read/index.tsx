// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Read() {
  return <Page title="Read">{null}</Page>;
}
