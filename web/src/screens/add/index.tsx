// SPDX-License-Identifier: Apache-2.0
import { Page } from "../../ui/page";

export default function Add() {
  return <Page title="Add">{null}</Page>;
}
