// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function System() {
  return <Page title="System">{null}</Page>;
}
