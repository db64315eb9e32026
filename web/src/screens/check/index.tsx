// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Check() {
  return <Page title="Check">{null}</Page>;
}
