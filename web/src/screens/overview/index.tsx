// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Overview() {
  return <Page title="Overview">{null}</Page>;
}
