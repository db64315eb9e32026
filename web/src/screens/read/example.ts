// SPDX-License-Identifier: Apache-2.0
// A report to try the page with.
export const example = JSON.stringify(
  {
    "organization-name": "Example Mail",
    "date-range": { "start-datetime": "2026-01-12T00:00:00Z", "end-datetime": "2026-01-12T23:59:59Z" },
    "contact-info": "tls-reports@sender.example",
    "report-id": "2026-01-12T00:00:00Z_example.com",
    policies: [
      {
        policy: {
          "policy-type": "sts",
          "policy-string": ["version: STSv1", "mode: testing", "mx: mx1.example.com", "mx: mx2.example.com", "max_age: 604800"],
          "policy-domain": "example.com",
          "mx-host": ["mx1.example.com", "mx2.example.com"],
        },
        summary: { "total-successful-session-count": 512, "total-failure-session-count": 9 },
        "failure-details": [
          {
            "result-type": "certificate-expired",
            "sending-mta-ip": "192.0.2.180",
            "receiving-mx-hostname": "mx2.example.com",
            "receiving-ip": "198.51.100.26",
            "failed-session-count": 9,
          },
        ],
      },
    ],
  },
  null,
  2,
);
