// SPDX-License-Identifier: Apache-2.0
// The commands of "Your mail server sending".
#include "app/cli_tree.h"

namespace mailtight::app {

namespace {

constexpr const char* group = "Your mail server sending";

void add_resolve(command_tree& s) {
    auto& r = s.resolve;
    auto* resolve =
        s.app.add_subcommand("resolve", "How mail to a domain must be delivered, and why")->group(group);
    resolve->add_option("domain", r.domain, "A domain, or [host] or [host]:port for a smart host")
        ->required()
        ->type_name("DOMAIN");
    resolve->add_flag("--explain", r.explain,
                      "Every answer, the decision, the replies; the default for people");
    resolve->add_flag("--live", r.live, "Look at everything now instead of answering from memory");
    resolve
        ->add_option("--dialect", r.dialect,
                     "Only the reply in this dialect: postfix, postfix-legacy, postfix-3.10, sts, QUERY or "
                     "QUERYwithTLSRPT")
        ->type_name("NAME");
    resolve->footer("Examples:\n  mailtight resolve example.com\n"
                    "  mailtight resolve example.com --live --json | jq .decision\n"
                    "  mailtight resolve example.com --dialect postfix");
    s.finish(
        resolve,
        [&s] {
            s.resolve.own_network = s.network.any();
            return cmd_resolve(s.common, s.resolve);
        },
        true);
}

void add_questions(command_tree& s, CLI::App* cache) {
    auto& c = s.cache;
    auto* list = cache->add_subcommand("list", "The destinations that are remembered");
    list->add_option("--mode", c.mode, "Only with this policy: enforce, testing, none or without")
        ->type_name("MODE");
    list->add_flag("--failing", c.failing, "Only those whose latest fetch failed");
    list->footer("Examples:\n  mailtight cache list --mode enforce\n"
                 "  mailtight cache list --failing --json | jq .domain");
    s.finish(list, [&s] { return cmd_cache_list(s.common, s.cache); }, false);

    auto* show =
        cache->add_subcommand("show", "All that is remembered of a destination, its policy included");
    show->add_option("domain", c.domain, "The domain")->required()->type_name("DOMAIN");
    show->footer("Example:\n  mailtight cache show example.com");
    s.finish(show, [&s] { return cmd_cache_show(s.common, s.cache); }, false);

    auto* overrides = cache->add_subcommand("overrides", "The exceptions that were made");
    overrides->footer("Example:\n  mailtight cache overrides");
    s.finish(overrides, [&s] { return cmd_cache_overrides(s.common); }, false);
}

void add_changes(command_tree& s, CLI::App* cache) {
    auto& c = s.cache;
    auto* refresh = cache->add_subcommand("refresh", "Look at a destination's record and policy now");
    refresh->add_option("domain", c.domain, "The domain")->required()->type_name("DOMAIN");
    refresh
        ->add_option("--failed", c.failed,
                     "A delivery failed, with these words: look in the background, at most every 30 s")
        ->type_name("WORDS");
    refresh->footer("Examples:\n  mailtight cache refresh example.com\n"
                    "  mailtight cache refresh example.com --failed 'certificate verification failed'");
    s.finish(
        refresh,
        [&s] {
            s.cache.own_network = s.network.any();
            return cmd_cache_refresh(s.common, s.cache);
        },
        true);

    auto* purge = cache->add_subcommand("purge", "Forget a destination; the next mail looks again");
    purge->add_option("domain", c.domain, "The domain")->type_name("DOMAIN");
    purge->add_flag("--all", c.all, "Everything; exceptions stay");
    purge->footer("Example:\n  mailtight cache purge example.com");
    s.finish(purge, [&s] { return cmd_cache_purge(s.common, s.cache); }, false);

    auto* exception = cache->add_subcommand("override", "Make or end an exception for a destination");
    exception->add_option("domain", c.domain, "The domain")->required()->type_name("DOMAIN");
    exception
        ->add_option("--as", c.as,
                     "exempt (no policy, whatever is published), pin (deliver to these MX alone), testing "
                     "(not enforced) or require (nothing goes out without a policy or DANE)")
        ->type_name("WHAT");
    exception->add_option("--why", c.why, "The reason, for those who come later")->type_name("TEXT");
    s.add_repeatable(exception, "--mx", c.mx, "With pin: an MX pattern (repeatable)", "PATTERN");
    exception->add_option("--until", c.until, "The last day on which it holds, YYYY-MM-DD")->type_name("DAY");
    exception->add_flag("--remove", c.remove, "End it");
    exception->footer(
        "Examples:\n  mailtight cache override example.com --as exempt --why 'their MX moves' "
        "--until 2030-01-31\n"
        "  mailtight cache override example.com --as pin --mx mx1.example.com --why 'by contract'\n"
        "  mailtight cache override example.com --remove");
    s.finish(exception, [&s] { return cmd_cache_override(s.common, s.cache); }, false);
}

void add_exchange(command_tree& s, CLI::App* cache) {
    auto& c = s.cache;
    auto* out = cache->add_subcommand("export", "Everything that is remembered, as lines of JSON");
    out->add_option("file", c.file, "Where to; - is standard output")->type_name("FILE");
    out->footer("Example:\n  mailtight cache export policies.ndjson");
    s.finish(out, [&s] { return cmd_cache_export(s.common, s.cache); }, false);

    auto* in = cache->add_subcommand("import", "Take over policies; newer ones that are there stay");
    in->add_option("file", c.file,
                   "What cache export wrote, postfix-tlspol's EXPORT, the SQLite cache of "
                   "postfix-mta-sts-resolver, or a domain a line; - is standard input")
        ->required()
        ->type_name("FILE");
    in->footer("Examples:\n  mailtight cache import policies.ndjson\n"
               "  mailtight cache import /var/lib/mta-sts/cache.db");
    s.finish(in, [&s] { return cmd_cache_import(s.common, s.cache); }, false);
}

} // namespace

void add_sending_commands(command_tree& s) {
    add_resolve(s);
    auto* cache = s.app.add_subcommand("cache", "The cached policies of other domains")->group(group);
    cache->require_subcommand(1);
    cache->footer("Try:  mailtight cache list\n      mailtight cache override --help");
    add_questions(s, cache);
    add_changes(s, cache);
    add_exchange(s, cache);
}

} // namespace mailtight::app
