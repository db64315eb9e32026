// SPDX-License-Identifier: Apache-2.0
// Entries: export_policy and export_all. A configuration holds the policy in quotes of its language, every
// line end written as an escape where that language has one, so that what an editor does to the file does
// nothing to the policy.
#include "publish/export.h"

#include "publish/export_steps.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mailtight::publish {

namespace {

/// nginx reads no word of more than 4096 bytes.
constexpr std::size_t nginx_word = 2'000;

std::string policy_host_of(const exported_policy& what) {
    return "mta-sts." + what.domain;
}

/// In double quotes; longer texts in several. nginx has no escape for `$`: a variable stands for it.
std::vector<std::string> nginx_words(std::string_view body) {
    std::vector<std::string> words{""};
    for (const char c : body) {
        if (words.back().size() > nginx_word)
            words.emplace_back();
        switch (c) {
        case '\r':
            words.back() += "\\r";
            break;
        case '\n':
            words.back() += "\\n";
            break;
        case '"':
        case '\\':
            words.back() += {'\\', c};
            break;
        case '$':
            words.back() += "${mailtight_dollar}";
            break;
        default:
            words.back() += c;
        }
    }
    return words;
}

std::string nginx(const exported_policy& what) {
    const auto host = policy_host_of(what);
    const auto words = nginx_words(what.body);
    std::string answer;
    if (words.size() == 1) {
        answer = fmt::format("        return 200 \"{}\";\n", words.front());
    } else {
        std::string all;
        for (std::size_t i = 0; i < words.size(); ++i) {
            answer += fmt::format("        set $mta_sts_{} \"{}\";\n", i, words[i]);
            all += fmt::format("${{mta_sts_{}}}", i);
        }
        answer += fmt::format("        return 200 \"{}\";\n", all);
    }
    return fmt::format("server {{\n"
                       "    listen 443 ssl;\n"
                       "    listen [::]:443 ssl;\n"
                       "    server_name {0};\n"
                       "    ssl_certificate /etc/letsencrypt/live/{0}/fullchain.pem;\n"
                       "    ssl_certificate_key /etc/letsencrypt/live/{0}/privkey.pem;\n"
                       "    ssl_protocols TLSv1.2 TLSv1.3;\n"
                       "    gzip off;\n"
                       "    location = /.well-known/mta-sts.txt {{\n"
                       "        default_type \"text/plain; charset=utf-8\";\n"
                       "        add_header Cache-Control \"max-age=60\";\n"
                       "{1}"
                       "    }}\n"
                       "    location / {{\n"
                       "        return 404;\n"
                       "    }}\n"
                       "}}\n",
                       host, answer);
}

std::string nginx_all(const std::vector<exported_policy>& what) {
    std::string text;
    // A server that asked for no name of these gets no certificate of another (RFC 8461 §7.1).
    text += "# Once for the whole server, where it has no default of its own:\n"
            "#   server { listen 443 ssl default_server; listen [::]:443 ssl default_server;\n"
            "#            ssl_reject_handshake on; }\n";
    if (std::ranges::any_of(what, [](const auto& one) { return one.body.contains('$'); }))
        text += "geo $mailtight_dollar {\n    default \"$\";\n}\n";
    for (const auto& one : what)
        text += nginx(one);
    return text;
}

/// Between backticks everything stands for itself but CR, which Caddy takes away; what it or a template would
/// read is written as a template that says it.
std::string caddy_word(std::string_view body) {
    std::string word;
    for (const char c : body) {
        switch (c) {
        case '\r':
            word += R"({{"\r"}})";
            break;
        case '`':
        case '{':
        case '}':
            word += fmt::format(R"({{{{"\x{:02x}"}}}})", static_cast<unsigned>(c));
            break;
        default:
            word += c;
        }
    }
    return "`" + word + "`";
}

std::string caddy(const exported_policy& what) {
    return fmt::format("{} {{\n"
                       "{}"
                       "\ttemplates {{\n\t\tmime text/plain\n\t}}\n"
                       "\t@policy path /.well-known/mta-sts.txt\n"
                       "\theader @policy Content-Type \"text/plain; charset=utf-8\"\n"
                       "\theader @policy Cache-Control max-age=60\n"
                       "\trespond @policy {} 200\n"
                       "\trespond 404\n"
                       "}}\n",
                       policy_host_of(what),
                       what.directory_url.empty() ? "" : "\ttls {\n\t\ton_demand\n\t}\n",
                       caddy_word(what.body));
}

std::string caddy_all(const std::vector<exported_policy>& what) {
    std::string text;
    const auto asked = std::ranges::find_if(what, [](const auto& one) { return !one.directory_url.empty(); });
    if (asked != what.end())
        text += fmt::format("{{\n\ton_demand_tls {{\n\t\task {}\n\t}}\n}}\n", asked->directory_url);
    for (const auto& one : what)
        text += caddy(one);
    return text;
}

/// Apache has no answer of fixed text: it serves the file that stands beside this.
std::string apache(const exported_policy& what) {
    return fmt::format("<VirtualHost *:443>\n"
                       "    ServerName {0}\n"
                       "    DocumentRoot \"/var/www/{0}\"\n"
                       "    SSLEngine on\n"
                       "    SSLProtocol -all +TLSv1.2 +TLSv1.3\n"
                       "    SSLCertificateFile \"/etc/letsencrypt/live/{0}/fullchain.pem\"\n"
                       "    SSLCertificateKeyFile \"/etc/letsencrypt/live/{0}/privkey.pem\"\n"
                       "    RedirectMatch 404 \"^/(?!\\.well-known/mta-sts\\.txt$)\"\n"
                       "    <Directory \"/var/www/{0}\">\n"
                       "        Options None\n"
                       "        AllowOverride None\n"
                       "        Require all granted\n"
                       "    </Directory>\n"
                       "    <Files \"mta-sts.txt\">\n"
                       "        ForceType \"text/plain; charset=utf-8\"\n"
                       "        Header set Cache-Control \"max-age=60\"\n"
                       "    </Files>\n"
                       "    SetEnv no-gzip 1\n"
                       "</VirtualHost>\n",
                       policy_host_of(what));
}

std::string apache_all(const std::vector<exported_policy>& what) {
    std::string text =
        "# Needs mod_ssl, mod_alias, mod_headers and mod_setenvif (a2enmod ssl alias headers setenvif).\n"
        "SSLStrictSNIVHostCheck on\n";
    for (const auto& one : what)
        text += apache(one);
    return text;
}

std::string worker_all(const std::vector<exported_policy>& what) {
    std::string policies;
    for (const auto& one : what)
        policies +=
            fmt::format("  [{}, {}],\n", boost::json::serialize(boost::json::string(policy_host_of(one))),
                        boost::json::serialize(boost::json::string(one.body)));
    return fmt::format(R"(const policies = new Map([
{}]);

const said = (status, text, more) =>
  new Response(text, {{ status, headers: {{ "Content-Type": "text/plain; charset=utf-8", ...more }} }});

export default {{
  async fetch(request) {{
    const url = new URL(request.url);
    const policy = policies.get(url.hostname);
    if (policy === undefined || url.pathname !== "/.well-known/mta-sts.txt" || url.search !== "")
      return said(404, "There is nothing at this address.\n");
    if (request.method !== "GET" && request.method !== "HEAD")
      return said(405, "Only GET and HEAD are answered here.\n", {{ Allow: "GET, HEAD" }});
    return said(200, request.method === "HEAD" ? null : policy, {{ "Cache-Control": "max-age=60" }});
  }},
}};
)",
                       policies);
}

} // namespace

std::string export_all(const std::vector<exported_policy>& what, export_form form) {
    switch (form) {
    case export_form::directory:
        return {}; // a folder for each domain, no configuration
    case export_form::nginx:
        return nginx_all(what);
    case export_form::caddy:
        return caddy_all(what);
    case export_form::apache:
        return apache_all(what);
    case export_form::worker:
        return worker_all(what);
    }
    return {};
}

std::vector<std::pair<std::string, std::string>> export_policy(const exported_policy& what,
                                                               export_form form) {
    std::vector<std::pair<std::string, std::string>> files;
    const auto host = policy_host_of(what);
    switch (form) {
    case export_form::directory:
        break;
    case export_form::nginx:
    case export_form::apache:
        files.emplace_back(host + ".conf", export_all({what}, form));
        break;
    case export_form::caddy:
        files.emplace_back("Caddyfile", export_all({what}, form));
        break;
    case export_form::worker:
        files.emplace_back("worker.js", export_all({what}, form));
        break;
    }
    if (form == export_form::directory || form == export_form::apache)
        files.emplace_back(".well-known/mta-sts.txt", what.body);
    files.emplace_back("STEPS.txt", export_steps(what, form));
    return files;
}

} // namespace mailtight::publish
