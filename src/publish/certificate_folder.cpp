// SPDX-License-Identifier: Apache-2.0
#include "publish/certificate_folder.h"

#include "base/crypto/certificate.h"
#include "base/crypto/issuing.h"
#include "base/limits.h"
#include "base/text.h"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

namespace mailtight::publish {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 400'000;
constexpr std::uintmax_t file_bytes = base::limits::certificate_bytes * 2;

/// Beside one chain: where its key may lie. `{}` is the chain's name without its ending.
struct convention {
    std::string_view chain_ending; ///< or the whole name
    bool whole_name;
    std::string_view key; ///< beside it: a whole name, `{}` + ending, or "" : in the same file
};
constexpr std::array conventions{
    convention{"fullchain.pem", true, "privkey.pem"},  // certbot
    convention{"fullchain.cer", true, "{folder}.key"}, // acme.sh: in NAME/ (for EC keys NAME_ecc/)
    convention{".crt", false, "{}.key"},               // lego; NAME.issuer.crt is no pair
    convention{".pem", false, ""},
};
/// Files of those programs that are no certificate to be served.
constexpr std::array others{std::string_view("cert.pem"), std::string_view("chain.pem"),
                            std::string_view("privkey.pem"), std::string_view("ca.cer")};

bool is_other(const std::string& name) {
    return std::ranges::find(others, name) != others.end() || name.ends_with(".issuer.crt");
}

std::string read_file(const fs::path& file) {
    std::error_code wrong;
    const auto size = fs::file_size(file, wrong); // of what is no file: an error
    if (wrong || size > file_bytes)
        return {};
    std::ifstream in(file, std::ios::binary);
    std::string out(size, '\0'); // not more, however it grows meanwhile
    in.read(out.data(), static_cast<std::streamsize>(size));
    out.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    return out;
}

} // namespace

certificate_folder::certificate_folder(fs::path folder)
    : folder_(std::move(folder)) {}

certificate_folder::stamp certificate_folder::stamp_of(const fs::path& file) {
    struct ::stat seen{};
    if (::stat(file.c_str(), &seen) != 0) // certbot's are symbolic links: what they lead to counts
        return {};
    return {.device = seen.st_dev,
            .inode = seen.st_ino,
            .bytes = static_cast<std::uint64_t>(seen.st_size),
            .changed = seen.st_mtim.tv_sec * 1'000'000'000LL + seen.st_mtim.tv_nsec};
}

/// Every pair of files that may belong together.
std::vector<certificate_folder::known> certificate_folder::candidates(changes& into) const {
    std::vector<known> found;
    std::error_code wrong;
    fs::recursive_directory_iterator at(folder_, fs::directory_options::skip_permission_denied, wrong);
    if (wrong) {
        into.trouble.push_back(fmt::format("{}: {}", folder_.string(), wrong.message()));
        return found;
    }
    std::size_t seen = 0;
    for (const fs::recursive_directory_iterator end; at != end; at.increment(wrong)) {
        if (++seen > files_max) {
            into.trouble.push_back(
                fmt::format("{}: more than {} files: is it the right folder?", folder_.string(), files_max));
            return found;
        }
        // NAME/file, live/NAME/file: nothing of ours lies deeper. Older ones of certbot's lie in archive/.
        if (at.depth() > 2 || at->path().filename() == "archive")
            at.disable_recursion_pending();
        std::error_code ignored;
        const auto& path = at->path();
        const auto name = path.filename().string();
        if (!fs::is_regular_file(path, ignored) || is_other(name))
            continue;
        for (const auto& [ending, whole_name, key] : conventions) {
            if (whole_name ? name != ending : !name.ends_with(ending) || name.size() == ending.size())
                continue;
            known one{.chain = path, .key = path};
            if (key == "{folder}.key") {
                auto folder = path.parent_path().filename().string();
                if (folder.ends_with("_ecc"))
                    folder.resize(folder.size() - 4);
                one.key = path.parent_path() / (folder + ".key");
            } else if (key.starts_with("{}")) {
                one.key = path.parent_path() / (name.substr(0, name.size() - ending.size()) + ".key");
            } else if (!key.empty()) {
                one.key = path.parent_path() / key;
            }
            found.push_back(std::move(one));
            break;
        }
    }
    if (wrong) // an error ends the walk: what it did not come to is not gone
        into.trouble.push_back(fmt::format("{}: {}", folder_.string(), wrong.message()));
    return found;
}

void certificate_folder::read(known& one, changes& into) const {
    pair made{.file = one.chain.string(), .chain = read_file(one.chain)};
    made.key = one.key == one.chain ? made.chain : read_file(one.key);
    const auto chain = base::parse_pem_chain(made.chain);
    std::string trouble;
    if (!chain)
        trouble = chain.error();
    else if (const auto fits = base::key_fits(made.chain, made.key); !fits)
        trouble = one.key == one.chain ? fits.error() : fmt::format("{}: {}", one.key.string(), fits.error());
    else if (chain->front().dns_names.empty())
        trouble = "the certificate names no host";
    // Both files are written one after the other: between them nothing fits, and nothing is wrong.
    if (stamp_of(one.chain) != one.chain_stamp || stamp_of(one.key) != one.key_stamp)
        return;
    if (!trouble.empty()) {
        trouble = fmt::format("{}: {}", made.file, base::printable(trouble, 300));
        one.told = one.told && trouble == one.trouble;
        one.trouble = std::move(trouble);
        return;
    }
    one.trouble.clear();
    one.whole = true;
    for (const auto& name : chain->front().dns_names)
        made.names.push_back(base::lower(name));
    made.not_before = chain->front().not_before;
    made.not_after = chain->front().not_after;
    into.fresh.push_back(std::move(made));
}

certificate_folder::changes certificate_folder::look() {
    changes out;
    auto found = candidates(out);
    if (!out.trouble.empty()) { // the folder is away, or was not seen whole: what was read of it stays
        if (std::exchange(trouble_, out.trouble.front()) == out.trouble.front())
            out.trouble.clear();
        return out;
    }
    trouble_.clear();
    std::set<std::string> there;
    for (auto& one : found) {
        one.chain_stamp = stamp_of(one.chain);
        one.key_stamp = stamp_of(one.key);
        const auto name = one.chain.string();
        there.insert(name);
        auto& before = known_[name];
        if (before.chain_stamp == one.chain_stamp && before.key_stamp == one.key_stamp) {
            if (!before.trouble.empty() && !std::exchange(before.told, true))
                out.trouble.push_back(before.trouble);
            continue;
        }
        one.whole = before.whole;
        one.told = before.told;
        one.trouble = before.trouble;
        before = std::move(one);
        read(before, out);
    }
    for (auto at = known_.begin(); at != known_.end();) {
        if (there.contains(at->first)) {
            ++at;
            continue;
        }
        if (at->second.whole)
            out.gone.push_back(at->first);
        at = known_.erase(at);
    }
    return out;
}

} // namespace mailtight::publish
