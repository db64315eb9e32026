// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Reports() {
  return <Page title="Reports">{null}</Page>;
}
