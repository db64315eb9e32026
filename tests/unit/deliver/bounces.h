// SPDX-License-Identifier: Apache-2.0
// Bounces in the shapes of the mail servers that are met most, of a report that we mailed. Written for the
// tests.
#pragma once

#include <string>
#include <string_view>

namespace mailtight::deliver::bounces {

inline const std::string id = "20260102.abcdefghijkl2345.example.com@example.net";

/// What was returned: the header of the report's mail.
inline const std::string returned =
    "DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=mt-rsa; b=AAAA\r\n"
    "Date: Sat, 03 Jan 2026 04:05:06 +0000\r\n"
    "From: Example Net <tls-reports@example.net>\r\n"
    "To: <tls@example.com>\r\n"
    "Subject: Report Domain: example.com Submitter: example.net Report-ID:\r\n"
    " <" +
    id + ">\r\nMessage-ID:\r\n <d17." + id + ">\r\nMIME-Version: 1.0\r\n";

inline std::string report(const std::string& head, const std::string& status, const std::string& last_part) {
    return head +
           "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n"
           "\tboundary=\"B1/mx.example.net\"\r\n\r\nThis is a MIME-encapsulated message.\r\n\r\n"
           "--B1/mx.example.net\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nI'm sorry to "
           "tell.\r\n\r\n"
           "--B1/mx.example.net\r\nContent-Description: Delivery report\r\n"
           "Content-Type: message/delivery-status\r\n\r\n" +
           status + "\r\n--B1/mx.example.net\r\n" + last_part + "\r\n--B1/mx.example.net--\r\n";
}

inline const std::string postfix = report(
    "Return-Path: <>\r\nDate: Sat, 3 Jan 2026 04:05:08 +0000 (UTC)\r\n"
    "From: MAILER-DAEMON@mx.example.net (Mail Delivery System)\r\nSubject: Undelivered Mail Returned to "
    "Sender\r\n"
    "To: tls-reports@example.net\r\nAuto-Submitted: auto-replied\r\nMessage-ID: "
    "<20260103040508.ABC@mx.example.net>\r\n",
    "Reporting-MTA: dns; mx.example.net\r\nX-Postfix-Queue-ID: 4ABC\r\n"
    "X-Postfix-Sender: rfc822; tls-reports@example.net\r\nArrival-Date: Sat,  3 Jan 2026 04:05:06 +0000 "
    "(UTC)\r\n\r\n"
    "Final-Recipient: rfc822; tls@example.com\r\nOriginal-Recipient: rfc822;tls@example.com\r\nAction: "
    "failed\r\n"
    "Status: 5.1.1\r\nRemote-MTA: dns; mx.example.com\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <tls@example.com>: Recipient address\r\n    rejected: no such user\r\n",
    "Content-Description: Undelivered Message Headers\r\nContent-Type: text/rfc822-headers\r\n\r\n" +
        returned);

/// The queue's lifetime is over: failed, but with a status that is not for good.
inline const std::string postfix_expired = report(
    "From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail Returned to Sender\r\n",
    "Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; tls@example.com\r\nAction: failed\r\n"
    "Status: 4.4.1\r\nDiagnostic-Code: X-Postfix; connect to mx.example.com[198.51.100.1]:25: Connection "
    "timed out\r\n",
    "Content-Description: Undelivered Message\r\nContent-Type: message/rfc822\r\n\r\n" + returned +
        "Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\nbody\r\n--x--\r\n");

inline const std::string postfix_delayed =
    report("From: MAILER-DAEMON@mx.example.net\r\nSubject: Delayed Mail (still being retried)\r\n",
           "Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; tls@example.com\r\nAction: "
           "delayed\r\n"
           "Status: 4.4.1\r\nWill-Retry-Until: Thu,  8 Jan 2026 04:05:06 +0000\r\n",
           "Content-Type: text/rfc822-headers\r\n\r\n" + returned);

inline const std::string sendmail =
    report("From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>\r\nSubject: Returned mail: see "
           "transcript for "
           "details\r\nAuto-Submitted: auto-generated (failure)\r\n",
           "Reporting-MTA: dns; mx.example.net\r\nReceived-From-MTA: DNS; localhost\r\n"
           "Arrival-Date: Sat, 3 Jan 2026 04:05:06 GMT\r\n\r\nFinal-Recipient: RFC822; tls@example.com\r\n"
           "X-Actual-Recipient: RFC822; tls@example.com\r\nAction: failed\r\nStatus: 5.1.2\r\n"
           "Remote-MTA: DNS; example.com\r\nDiagnostic-Code: SMTP; 550 Host unknown\r\n",
           "Content-Type: message/rfc822\r\n\r\nReturn-Path: <tls-reports@example.net>\r\n" + returned +
               "\r\nbody\r\n");

/// A folder deeper, base64 around nothing, German words, and what Exchange puts beside.
inline const std::string exchange =
    "From: <postmaster@example.com>\r\nTo: <tls-reports@example.net>\r\n"
    "Subject: =?utf-8?B?VW56dXN0ZWxsYmFy?=: Report Domain\r\nIn-Reply-To: <d17." +
    id + ">\r\nReferences: <d17." + id +
    ">\r\nX-MS-Exchange-Message-Is-Ndr:\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n "
    "boundary=\"=_outer\"\r\n\r\n--=_outer\r\n"
    "Content-Type: multipart/alternative; boundary=\"=_inner\"\r\n\r\n--=_inner\r\nContent-Type: "
    "text/plain\r\n\r\n"
    "Ihre Nachricht\r\n--=_inner\r\nContent-Type: text/html\r\n\r\n<p>Ihre Nachricht\r\n--=_inner--\r\n"
    "--=_outer\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: "
    "dns;AM0P.prod.outlook.example\r\n"
    "Received-From-MTA: dns;mx.example.net\r\nArrival-Date: Sat, 3 Jan 2026 04:05:07 +0000\r\n\r\n"
    "Final-Recipient: rfc822;tls@example.com\r\nAction: failed\r\nStatus: 5.1.10\r\n"
    "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient tls@example.com\r\n not "
    "found by SMTP "
    "address lookup\r\nX-Display-Name: tls@example.com\r\n\r\n\r\n--=_outer\r\nContent-Type: "
    "message/rfc822\r\n\r\n"
    "Received: from mx.example.net by AM0P.prod.outlook.example\r\n" +
    returned + "\r\nbody\r\n--=_outer--\r\n";

/// The same without what was returned: the mail that it answers is named all the same.
inline const std::string exchange_without_mail =
    exchange.substr(0, exchange.find("--=_outer\r\nContent-Type: message/rfc822")) + "--=_outer--\r\n";

inline const std::string exim = report(
    "X-Failed-Recipients: tls@example.com\r\nAuto-Submitted: auto-replied\r\n"
    "From: Mail Delivery System <Mailer-Daemon@mx.example.net>\r\nTo: tls-reports@example.net\r\n"
    "References: <d17." +
        id + ">\r\nSubject: Mail delivery failed: returning message to sender\r\n",
    "Reporting-MTA: dns; mx.example.net\r\n\r\nAction: failed\r\nFinal-Recipient: rfc822;tls@example.com\r\n"
    "Status: 5.0.0\r\nRemote-MTA: dns; mx.example.com\r\nDiagnostic-Code: smtp; 550 no such user\r\n",
    "Content-Type: message/rfc822\r\n\r\nReturn-path: <tls-reports@example.net>\r\n" + returned +
        "\r\nbody\r\n");

inline const std::string old_exim =
    "X-Failed-Recipients: tls@example.com\r\nAuto-Submitted: auto-replied\r\n"
    "From: Mail Delivery System <Mailer-Daemon@mx.example.net>\r\nTo: tls-reports@example.net\r\n"
    "Subject: Mail delivery failed: returning message to sender\r\n\r\n"
    "This message was created automatically by mail delivery software.\r\n\r\n"
    "A message that you sent could not be delivered to one or more of its\r\n"
    "recipients. This is a permanent error. The following address(es) failed:\r\n\r\n  tls@example.com\r\n"
    "    host mx.example.com [198.51.100.1]: 550 no such user\r\n\r\n"
    "------ This is a copy of the message, including all the headers. ------\r\n\r\n" +
    returned + "\r\nbody\r\n";

/// RFC 6533: with its own names, and a UTF-8 address.
inline const std::string international = [] {
    auto out = postfix;
    const auto put = [&](std::string_view from, std::string_view to) {
        for (auto at = out.find(from); at != out.npos; at = out.find(from, at + to.size()))
            out.replace(at, from.size(), to);
    };
    put("message/delivery-status", "message/global-delivery-status");
    put("text/rfc822-headers", "message/global-headers");
    put("Final-Recipient: rfc822; tls@", "Final-Recipient: utf-8; t\xc3\xbcls@");
    return out;
}();

} // namespace mailtight::deliver::bounces
