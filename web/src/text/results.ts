// SPDX-License-Identifier: Apache-2.0
// What failed, in words: the result types of reports (RFC 8460 §4.3). One that is not known is said as it is.
const words: Record<string, string> = {
  "starttls-not-supported": "No encryption offered",
  "certificate-host-mismatch": "Certificate for another name",
  "certificate-expired": "Certificate expired",
  "certificate-not-trusted": "Certificate not trusted",
  "validation-failure": "TLS or its check failed",
  "tlsa-invalid": "No valid TLSA record fits",
  "dnssec-invalid": "DNSSEC does not validate",
  "dane-required": "DANE is required and missing",
  "sts-policy-fetch-error": "Policy file not to be had",
  "sts-policy-invalid": "Policy file not valid",
  "sts-webpki-invalid": "Policy host's certificate not valid",
};

export const resultWords = (type: string): string => words[type] ?? type;
