// SPDX-License-Identifier: Apache-2.0
// Senders of reports: so many signed mails, each with a report of its own, over so many LMTP connections, as
// fast as they are acknowledged.
//   farm_senders keys FILE                    writes the DKIM key record that the mails are signed for
//   farm_senders load HOST PORT MAILS CONNECTIONS FILE   prints mails, seconds and what the senders
//   themselves took
// The key is made by `keys` and kept in FILE.pem.
#include "base/compress.h"
#include "base/encode.h"
#include "mail/dkim.h"
#include "support/dkim.h"
#include "tlsrpt/write_report.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <vector>

namespace {
using namespace mailtight;

std::string mail_of(std::size_t number, base::utc_seconds day) {
    tlsrpt::report report;
    report.organization_name = "Reporter Inc.";
    report.contact_info = "tls@reporter.example";
    report.report_id = "r" + std::to_string(number);
    report.start = day;
    report.end = day + std::chrono::seconds(86'399);
    tlsrpt::policy_result policy;
    policy.type = "sts";
    policy.domain = "example.com";
    policy.strings = {"version: STSv1", "mode: enforce", "mx: mx1.example.com", "max_age: 604800"};
    policy.mx_patterns = {"mx1.example.com"};
    policy.success = 100 + number % 7;
    tlsrpt::failure_detail detail;
    detail.result_type = "certificate-expired";
    detail.count = policy.failure = 1;
    detail.sending_mta_ip = "192.0.2.1";
    detail.receiving_mx = "mx1.example.com";
    policy.details.push_back(detail);
    report.policies.push_back(policy);
    const auto text = base::base64(base::gzip(tlsrpt::write_report(report)));
    std::string body;
    for (std::size_t at = 0; at < text.size(); at += 76)
        body += text.substr(at, 76) + "\r\n";
    return "From: TLS Reports <tls@reporter.example>\r\nTo: tls-report@reports.example\r\n"
           "Subject: Report Domain: example.com Submitter: reporter.example Report-ID: <" +
           report.report_id + "@reporter.example>\r\nDate: " + "Mon, 04 May 2026 06:00:00 +0000" +
           "\r\nMessage-ID: <" + report.report_id +
           "@reporter.example>\r\nTLS-Report-Domain: example.com\r\nTLS-Report-Submitter: "
           "reporter.example\r\n"
           "MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=\"b1\"; report-type=tlsrpt\r\n\r\n"
           "--b1\r\nContent-Type: text/plain\r\n\r\nThis is an aggregate TLS report.\r\n\r\n--b1\r\n"
           "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
           body + "--b1--\r\n";
}

/// One connection that says what it wants and reads replies line by line.
class client {
public:
    client(const char* host, int port)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        inet_pton(AF_INET, host, &to.sin_addr);
        int one = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            throw std::runtime_error("cannot connect");
        reply();
    }
    ~client() { close(socket_); }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0)
                throw std::runtime_error("the connection broke");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// The code of the next reply.
    int reply() {
        for (;;) {
            for (auto end = kept_.find("\r\n"); end != std::string::npos; end = kept_.find("\r\n")) {
                const std::string line = kept_.substr(0, end);
                kept_.erase(0, end + 2);
                if (line.size() >= 3 && (line.size() == 3 || line[3] == ' '))
                    return std::atoi(line.c_str());
            }
            char buffer[4096];
            const auto got = recv(socket_, buffer, sizeof buffer, 0);
            if (got <= 0)
                throw std::runtime_error("the connection ended");
            kept_.append(buffer, static_cast<std::size_t>(got));
        }
    }

private:
    int socket_;
    std::string kept_;
};

double own_cpu() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

int load(const char* host, int port, std::size_t mails, std::size_t connections, const std::string& file) {
    std::stringstream pem;
    pem << std::ifstream(file + ".pem").rdbuf();
    const auto signer = mail::dkim_signer::make("reporter.example", "s1", pem.str());
    if (!signer)
        throw std::runtime_error(signer.error());
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto day = std::chrono::floor<std::chrono::days>(now) - std::chrono::days(2);
    std::vector<std::string> all(mails);
    for (std::size_t number = 0; number < mails; ++number) {
        const auto mail = mail_of(number, day);
        all[number] = signer->sign(mail, now) + mail + ".\r\n";
    }
    std::atomic<std::size_t> next{0}, taken{0};
    const auto begin = std::chrono::steady_clock::now();
    const double cpu_before = own_cpu();
    std::vector<std::thread> senders;
    for (std::size_t at = 0; at < connections; ++at)
        senders.emplace_back([&] {
            client to(host, port);
            to.send("LHLO bench\r\n");
            to.reply();
            for (auto number = next++; number < mails; number = next++) {
                to.send(
                    "MAIL FROM:<tls@reporter.example>\r\nRCPT TO:<tls-report@reports.example>\r\nDATA\r\n");
                if (to.reply() != 250 || to.reply() != 250 || to.reply() != 354)
                    throw std::runtime_error("refused");
                to.send(all[number]);
                taken += to.reply() == 250 ? 1U : 0U;
            }
        });
    for (auto& each : senders)
        each.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << "{\"mails\":" << taken << ",\"seconds\":" << took.count()
              << ",\"sender_cpu\":" << own_cpu() - cpu_before << "}\n";
    return taken == mails ? 0 : 1;
}

} // namespace

int main(int count, char** words) {
    const std::string what = count > 2 ? words[1] : "";
    if (what == "keys") {
        const auto& pem = tests::rsa_pem();
        std::ofstream(std::string(words[2]) + ".pem") << pem;
        std::ofstream(words[2]) << "s1._domainkey.reporter.example v=DKIM1; k=rsa; p="
                                << tests::key_base64(pem) << "\n";
        return 0;
    }
    if (what == "load" && count == 7)
        return load(words[2], std::atoi(words[3]), std::strtoul(words[4], nullptr, 10),
                    std::strtoul(words[5], nullptr, 10), words[6]);
    std::cerr << "farm_senders keys FILE | load HOST PORT MAILS CONNECTIONS FILE\n";
    return 2;
}
