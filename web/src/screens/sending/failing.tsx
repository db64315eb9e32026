// SPDX-License-Identifier: Apache-2.0
// What failed on the way out in the last two days.
import type { Sending } from "../../api/types";
import { dayLong } from "../../charts/days";
import { count } from "../../text/format";
import { resultWords } from "../../text/results";
import { Empty } from "../../ui/page";

export function Failing({ of }: { of: Sending }) {
  if (!of.parts.results)
    return (
      <section class="card">
        <Empty icon="pause" title="Results of deliveries are not collected">
          <p>
            The section <code>[collect]</code> of the configuration switches it on: Postfix tells what came of each delivery, or its log is read.
          </p>
        </Empty>
      </section>
    );
  if (of.failures.length === 0)
    return (
      <section class="card">
        <Empty icon="good" title="Nothing failed in two days">
          <p>Every delivery that your mail servers told of was encrypted as its destination asks.</p>
        </Empty>
      </section>
    );
  return (
    <section class="card" aria-label="Failures of two days">
      <div class="flush table-scroll">
        <table class="table cards">
          <caption class="sr">Failed sessions of two days</caption>
          <thead>
            <tr>
              <th scope="col">Destination</th>
              <th scope="col">Result</th>
              <th scope="col">Mail server</th>
              <th scope="col">Reason</th>
              <th scope="col">Day</th>
              <th scope="col" class="num">
                Sessions
              </th>
            </tr>
          </thead>
          <tbody>
            {of.failures.map((each, i) => (
              <tr key={i}>
                <th scope="row">
                  <a class="break" href={`/sending?tab=failures&explain=${encodeURIComponent(each.domain)}`}>
                    {each.domain}
                  </a>
                </th>
                <td data-name="Result">
                  {resultWords(each.result_type)}
                  <code class="block dim small">{each.result_type}</code>
                </td>
                <td data-name="Mail server" class={each.mx ? "break" : "nothing"}>
                  {each.mx || <span class="dim">–</span>}
                </td>
                <td data-name="Reason" class={each.reason ? "break wide mono small" : "nothing"}>
                  {each.reason || <span class="dim">–</span>}
                </td>
                <td data-name="Day" class="nowrap">
                  {dayLong(each.day)}
                </td>
                <td data-name="Sessions" class="num tone-bad strong">
                  {count(each.count)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
