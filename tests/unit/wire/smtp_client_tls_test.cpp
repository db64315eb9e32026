// SPDX-License-Identifier: Apache-2.0
// STARTTLS and AUTH of the client: what it says before, and what it never believes or sends.
#include "unit/wire/smtp_client_script.h"

#include "support/proves.h"

#include <gtest/gtest.h>

#include <string>

namespace mailtight::tests {
using namespace smtp_client_script;
namespace {

TEST(SmtpClient, StartTls) {
    PROVES("3207-4-a", "3207-4-b", "3207-4.2-a");
    auto never = plain();
    never.start_tls = false;
    run({
        {"where offered; then EHLO again",
         plain(),
         mail(),
         {greeting, ehlo_tls, "220 go\r\n", "TLS", ehlo, ok, ok, go, ok, bye},
         hello + "STARTTLS\r\n" + hello + from + to + "DATA\r\n" + body + quit,
         kept},
        {"offered again inside: not used twice",
         plain(),
         mail(),
         {greeting, ehlo_tls, "220 go\r\n", "TLS", ehlo_tls, ok, ok, go, ok, bye},
         hello + "STARTTLS\r\n" + hello + from + to + "DATA\r\n" + body + quit,
         kept},
        {"what EHLO said in clear text is forgotten (SIZE)",
         plain(),
         mail(),
         {greeting, "250-mx\r\n250-SIZE 1\r\n250 STARTTLS\r\n", "220 go\r\n", "TLS", ehlo, ok, ok, go, ok,
          bye},
         hello + "STARTTLS\r\n" + hello + from + to + "DATA\r\n" + body + quit,
         kept},
        {"not today (454): in clear text",
         plain(),
         mail(),
         {greeting, ehlo_tls, "454 4.7.0 no\r\n", ok, ok, go, ok, bye},
         hello + "STARTTLS\r\n" + from + to + "DATA\r\n" + body + quit,
         kept},
        {"not wished",
         never,
         mail(),
         {greeting, ehlo_tls, ok, ok, go, ok, bye},
         hello + from + to + "DATA\r\n" + body + quit,
         kept},
        {"the handshake fails",
         plain(),
         mail(),
         {greeting, ehlo_tls, "220 go\r\n", "NOTLS"},
         hello + "STARTTLS\r\n",
         "later at STARTTLS: 0 [] the TLS handshake failed"},
        {"250 is no 220",
         plain(),
         mail(),
         {greeting, ehlo_tls, "250 go\r\n"},
         hello + "STARTTLS\r\n",
         "later at STARTTLS: 0 [] STARTTLS was answered with 250"},
    });
}

TEST(SmtpClient, InjectedBytesAreNeverUsed) {
    PROVES("3207-4-c");
    const std::string injected = "plaintext bytes follow the 220 of STARTTLS";
    run({
        {"in the packet of the 220",
         plain(),
         mail(),
         {greeting, ehlo_tls, "220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n"},
         hello + "STARTTLS\r\n",
         "later at STARTTLS: 0 [] " + injected},
        {"in a packet of its own",
         plain(),
         mail(),
         {greeting, ehlo_tls, "220 go\r\n", "250 x\r\n"},
         hello + "STARTTLS\r\n",
         "later at STARTTLS: 0 [] " + injected},
    });
}

TEST(SmtpClient, Auth) {
    const std::string inside = "220 go\r\n", login = "250-mx\r\n250 AUTH LOGIN\r\n",
                      both = "250-mx\r\n250-AUTH=LOGIN\r\n250 AUTH LOGIN plain\r\n";
    const std::string tls = hello + "STARTTLS\r\n" + hello;
    const std::string rest = from + to + "DATA\r\n" + body + quit;
    auto loopback = with_user();
    loopback.auth_allowed_plain = true;
    run({
        {"PLAIN",
         with_user(),
         mail(),
         {greeting, ehlo_tls, inside, "TLS", both, "235 in\r\n", ok, ok, go, ok, bye},
         tls + "AUTH PLAIN AHVzZXIAcGFzcw==\r\n" + rest,
         kept},
        {"PLAIN, the initial response not taken",
         with_user(),
         mail(),
         {greeting, ehlo_tls, inside, "TLS", both, "334 \r\n", "235 in\r\n", ok, ok, go, ok, bye},
         tls + "AUTH PLAIN AHVzZXIAcGFzcw==\r\nAHVzZXIAcGFzcw==\r\n" + rest,
         kept},
        {"LOGIN",
         with_user(),
         mail(),
         {greeting, ehlo_tls, inside, "TLS", login, "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n",
          "235 in\r\n", ok, ok, go, ok, bye},
         tls + "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n" + rest,
         kept},
        {"a wrong password",
         with_user(),
         mail(),
         {greeting, ehlo_tls, inside, "TLS", both, "535 5.7.8 no\r\n", bye},
         tls + "AUTH PLAIN AHVzZXIAcGFzcw==\r\n" + quit,
         "never at AUTH: 535 [5.7.8] 5.7.8 no"},
        {"not now",
         with_user(),
         mail(),
         {greeting, ehlo_tls, inside, "TLS", both, "454 4.7.0 no\r\n", bye},
         tls + "AUTH PLAIN AHVzZXIAcGFzcw==\r\n" + quit,
         "later at AUTH: 454 [4.7.0] 4.7.0 no"},
        {"questions without end",
         with_user(),
         mail(),
         {greeting, ehlo_tls, inside, "TLS", login, "334 a\r\n", "334 b\r\n", "334 c\r\n", bye},
         tls + "AUTH LOGIN\r\ndXNlcg==\r\ncGFzcw==\r\n" + quit,
         "never at AUTH: 0 [] the server asks for more than user and password"},
        {"no mechanism of ours",
         with_user(),
         mail(),
         {greeting, ehlo_tls, inside, "TLS", ehlo_tls, bye},
         tls + quit,
         "never at AUTH: 0 [] the server offers neither AUTH PLAIN nor AUTH LOGIN"},
        {"never without TLS",
         with_user(),
         mail(),
         {greeting, both, bye},
         hello + quit,
         "never at AUTH: 0 [] without TLS the password is not sent"},
        {"nor where TLS was refused for now",
         with_user(),
         mail(),
         {greeting, ehlo_tls, "454 no\r\n", bye},
         hello + "STARTTLS\r\n" + quit,
         "later at AUTH: 0 [] without TLS the password is not sent"},
        {"but where it is allowed",
         loopback,
         mail(),
         {greeting, both, "235 in\r\n", ok, ok, go, ok, bye},
         hello + "AUTH PLAIN AHVzZXIAcGFzcw==\r\n" + rest,
         kept},
        {"235 behind the first word of LOGIN is enough",
         with_user(),
         mail(),
         {greeting, ehlo_tls, inside, "TLS", login, "235 in\r\n", ok, ok, go, ok, bye},
         tls + "AUTH LOGIN\r\n" + rest,
         kept},
    });
}

} // namespace
} // namespace mailtight::tests
