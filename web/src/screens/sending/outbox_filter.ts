// SPDX-License-Identifier: Apache-2.0
// Which of our reports are looked at: it stands in the query of the page, so that every view is a link. Pure.
import type { OutgoingReport } from "../../api/types";
import { deliveryWords } from "./decision";

export type DeliveryState = OutgoingReport["deliveries"][number]["state"];
export interface OutboxFilter {
  domain: string; // "": all
  state: DeliveryState | ""; // with a delivery that is so
}

export const deliveryStates = Object.keys(deliveryWords) as DeliveryState[];

export function readOutbox(query: URLSearchParams): OutboxFilter {
  const state = query.get("state");
  return { domain: (query.get("domain") ?? "").trim().toLowerCase(), state: deliveryStates.find((each) => each === state) ?? "" };
}
