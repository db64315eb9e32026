// SPDX-License-Identifier: Apache-2.0
// The order is the guides': a subdomain, a folder, the file, a look at it, and only then the record.
#include "publish/export_steps.h"

#include <fmt/format.h>

namespace mailtight::publish {

namespace {

/// What is done with the files of this form on that server.
std::vector<std::string> serving(const exported_policy& what, export_form form) {
    const auto host = "mta-sts." + what.domain;
    switch (form) {
    case export_form::directory:
        return {
            fmt::format("Create a folder named .well-known (with the dot) in the root of the subdomain {}.",
                        host),
            "Upload the file .well-known/mta-sts.txt into that folder, byte for byte as it is here (where "
            "the "
            "upload has a text mode, use the binary one)."};
    case export_form::nginx:
        return {
            fmt::format("Copy {0}.conf to /etc/nginx/conf.d/ and correct the paths of the certificate in it.",
                        host),
            "Run nginx -t, then reload nginx. The policy stands in the configuration itself: no file is "
            "uploaded."};
    case export_form::caddy:
        return {"Put the content of Caddyfile into the Caddyfile of your server (an on_demand_tls option "
                "belongs into its global block).",
                "Run caddy validate, then reload Caddy. It gets the certificate by itself."};
    case export_form::apache:
        return {fmt::format("Create the folder /var/www/{0}/.well-known (with the dot).", host),
                "Upload the file .well-known/mta-sts.txt into it, byte for byte as it is here.",
                fmt::format(
                    "Copy {0}.conf to /etc/apache2/sites-available/, correct the paths of the certificate "
                    "in it, run a2ensite {0} and apachectl configtest, then reload Apache.",
                    host)};
    case export_form::worker:
        return {"Create a Worker with the content of worker.js.",
                fmt::format("Add {} to it as a custom domain; Cloudflare gets the certificate.", host)};
    }
    return {};
}

} // namespace

std::string export_steps(const exported_policy& what, export_form form) {
    const auto host = "mta-sts." + what.domain;
    const auto url = fmt::format("https://{}/.well-known/mta-sts.txt", host);
    std::vector<std::string> steps;
    if (form != export_form::worker)
        steps.push_back(
            fmt::format("Set up the subdomain {} at your web server: an A or AAAA record (or a CNAME) that "
                        "leads to it, and "
                        "HTTPS on port 443 with a certificate for exactly this name from a public authority.",
                        host));
    for (auto& one : serving(what, form))
        steps.push_back(std::move(one));
    steps.push_back(
        fmt::format("Open {} in a browser: it must show the policy, without a redirect, a warning "
                    "or a login.",
                    url));
    steps.push_back(
        fmt::format("Only then publish the DNS record: _mta-sts.{}, type TXT, value \"v=STSv1; id={}\" "
                    "(where a record is there already, replace its id).",
                    what.domain, what.id));
    steps.push_back(
        fmt::format("Run mailtight check {} --wait until everything is seen as it should be.", what.domain));
    std::string text = fmt::format("The MTA-STS policy of {}\n\n", what.domain);
    for (std::size_t i = 0; i < steps.size(); ++i)
        text += fmt::format("{}. {}\n", i + 1, steps[i]);
    text +=
        fmt::format("\nWhenever the policy changes: first the file at {}, then a new id in the record. Never "
                    "take the file "
                    "away while senders may still hold it: mailtight plan {} --to off says when it may go.\n",
                    url, what.domain);
    return text;
}

} // namespace mailtight::publish
