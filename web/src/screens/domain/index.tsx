// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Domain() {
  return <Page title="Domain">{null}</Page>;
}
