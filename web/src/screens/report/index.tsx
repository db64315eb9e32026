// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Report() {
  return <Page title="Report">{null}</Page>;
}
