// SPDX-License-Identifier: Apache-2.0
// libcurl's IMAP: a URL selects the folder, a custom request is one command in it, and the untagged lines of
// its answer arrive as data. A mail itself is fetched by its URL, since literals only come through that way.
#include "io/imap.h"

#include "base/text.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <optional>

namespace mailtight::io {

namespace {

constexpr const char* system_roots = "/etc/ssl/certs/ca-certificates.crt";
// One line of an answer must fit: list_span UIDs of ten digits.
constexpr long line_bytes = 128 * 1024;

struct easy_deleter {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using easy = std::unique_ptr<CURL, easy_deleter>;
struct share_deleter {
    void operator()(CURLSH* handle) const { curl_share_cleanup(handle); }
};

/// Where the bytes of an answer go, and when it is enough.
struct sink {
    std::string bytes;
    std::size_t limit = 0;
    bool overflow = false;
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* into) {
    auto& to = *static_cast<sink*>(into);
    const std::size_t length = size * count;
    if (length > to.limit - to.bytes.size()) {
        to.overflow = true;
        return 0; // ends the transfer
    }
    to.bytes.append(data, length);
    return length;
}

int watch(void* abort, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<std::atomic<bool>*>(abort)->load() ? 1 : 0;
}

std::string escaped(CURL* handle, const std::string& text) {
    char* made = curl_easy_escape(handle, text.data(), static_cast<int>(text.size()));
    std::string out = made ? made : "";
    curl_free(made);
    return out;
}

/// A mailbox name as an IMAP quoted string; control characters have no place in one.
std::optional<std::string> quoted(const std::string& name) {
    std::string out = "\"";
    for (const char c : name) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return {};
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + '"';
}

/// The number after `word` in a line such as `* 3 FETCH (UID 7 RFC822.SIZE 1200)`.
std::optional<std::uint64_t> number_after(std::string_view line, std::string_view word) {
    auto at = line.find(word);
    while (at != std::string_view::npos) {
        const auto value = at + word.size();
        const bool starts = at == 0 || line[at - 1] == ' ' || line[at - 1] == '(';
        if (starts && value < line.size() && line[value] == ' ') {
            std::uint64_t number = 0;
            const auto* end = line.data() + line.size();
            const auto read = std::from_chars(line.data() + value + 1, end, number);
            if (read.ec == std::errc())
                return number;
        }
        at = line.find(word, at + 1);
    }
    return {};
}

} // namespace

std::string uid_set(const std::vector<std::uint64_t>& uids) {
    std::string out;
    for (std::size_t at = 0; at < uids.size();) {
        std::size_t end = at + 1;
        while (end < uids.size() && uids[end] == uids[end - 1] + 1)
            ++end;
        if (!out.empty())
            out += ',';
        out += end - at == 1 ? fmt::format("{}", uids[at]) : fmt::format("{}:{}", uids[at], uids[end - 1]);
        at = end;
    }
    return out;
}

struct imap_session::state {
    imap_access access;
    // Keeps the connection between calls, each of which has a handle of its own.
    std::unique_ptr<CURLSH, share_deleter> connections;
    easy handle;
    std::atomic<bool> aborted{false};
    char error_text[CURL_ERROR_SIZE] = {};

    imap_result<void> prepare() {
        static std::once_flag once;
        std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
        if (!connections) {
            connections.reset(curl_share_init());
            curl_share_setopt(connections.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
        }
        handle.reset(curl_easy_init());
        if (!handle || !connections)
            return std::unexpected(imap_error{imap_error::kind::network, "libcurl cannot start"});
        CURL* h = handle.get();
        curl_easy_setopt(h, CURLOPT_SHARE, connections.get());
        curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "imap,imaps");
        curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error_text);
        curl_easy_setopt(h, CURLOPT_PROXY, "");
        curl_easy_setopt(h, CURLOPT_BUFFERSIZE, line_bytes);
        curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
                         static_cast<long>(std::chrono::milliseconds(access.connect_time).count()));
        curl_easy_setopt(h, CURLOPT_TIMEOUT_MS,
                         static_cast<long>(std::chrono::milliseconds(access.transfer_time).count()));
        curl_easy_setopt(h, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
        curl_easy_setopt(h, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        // Reading the whole directory of roots costs 27 ms a connection; the one file has them all.
        curl_easy_setopt(h, CURLOPT_CAPATH, nullptr);
        curl_easy_setopt(h, CURLOPT_CAINFO, access.ca_file.empty() ? system_roots : access.ca_file.c_str());
        curl_easy_setopt(h, CURLOPT_USERNAME, access.user.c_str());
        if (!access.bearer.empty())
            curl_easy_setopt(h, CURLOPT_XOAUTH2_BEARER, access.bearer.c_str());
        else
            curl_easy_setopt(h, CURLOPT_PASSWORD, access.password.c_str());
        if (const std::string options = login_options(); !options.empty())
            curl_easy_setopt(h, CURLOPT_LOGIN_OPTIONS, options.c_str());
        curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, watch);
        curl_easy_setopt(h, CURLOPT_XFERINFODATA, &aborted);
        return {};
    }

    std::string login_options() const {
        if (access.mechanism == "xoauth2")
            return "AUTH=XOAUTH2";
        if (access.mechanism == "oauthbearer")
            return "AUTH=OAUTHBEARER";
        if (access.mechanism == "plain")
            return "AUTH=PLAIN";
        if (access.mechanism == "login")
            return "AUTH=+LOGIN";
        return {};
    }

    std::string url(const std::string& folder) const {
        return fmt::format("{}://{}:{}/{}", access.start_tls ? "imap" : "imaps", access.host, access.port,
                           escaped(handle.get(), folder));
    }

    imap_error told(CURLcode code) const {
        const std::string words = error_text[0] != 0 ? error_text : curl_easy_strerror(code);
        const std::string where = fmt::format("{}:{}", access.host, access.port);
        switch (code) {
        case CURLE_LOGIN_DENIED:
            return {imap_error::kind::login,
                    fmt::format("{} refused the login of {}: {}", where, access.user, words)};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
            return {imap_error::kind::certificate, fmt::format("the certificate of {}: {}", where, words)};
        case CURLE_QUOTE_ERROR:
            return {imap_error::kind::refused, fmt::format("{} refused: {}", where, words)};
        case CURLE_REMOTE_FILE_NOT_FOUND:
            return {imap_error::kind::gone, fmt::format("{}: the mail is not there any more", where)};
        case CURLE_ABORTED_BY_CALLBACK:
            return {imap_error::kind::network, "stopped"};
        default:
            return {imap_error::kind::network, fmt::format("{}: {}", where, words)};
        }
    }

    /// Runs what is set up. Bytes beyond the limit end it.
    imap_result<void> perform(const std::string& address, sink& into) {
        CURL* h = handle.get();
        curl_easy_setopt(h, CURLOPT_URL, address.c_str());
        curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(h, CURLOPT_WRITEDATA, &into);
        error_text[0] = 0;
        const CURLcode code = curl_easy_perform(h);
        if (into.overflow)
            return std::unexpected(
                imap_error{imap_error::kind::too_large, "the answer is larger than allowed"});
        if (code != CURLE_OK)
            return std::unexpected(told(code));
        return {};
    }

    /// One command in a folder ("" : none selected); the untagged lines of the answer.
    imap_result<std::string> command(const std::string& folder, const std::string& words,
                                     std::size_t limit = 1024 * 1024) {
        if (auto ready = prepare(); !ready)
            return std::unexpected(ready.error());
        curl_easy_setopt(handle.get(), CURLOPT_CUSTOMREQUEST, words.c_str());
        sink answer;
        answer.limit = limit;
        if (auto done = perform(folder.empty() ? url("") : url(folder), answer); !done)
            return std::unexpected(done.error());
        return std::move(answer.bytes);
    }
};

imap_session::imap_session(imap_access access)
    : state_(std::make_unique<state>()) {
    state_->access = std::move(access);
}
imap_session::~imap_session() = default;

void imap_session::set_access(imap_access access) {
    state_->handle.reset(); // another token is another login, on another connection
    state_->connections.reset();
    state_->access = std::move(access);
}

void imap_session::abort() {
    state_->aborted = true;
}

imap_result<imap_status> imap_session::status(const std::string& folder) {
    const auto name = quoted(folder);
    if (!name)
        return std::unexpected(
            imap_error{imap_error::kind::refused, "a folder name with control characters"});
    // A connection that has the folder selected already may go on telling what it saw then (RFC 3501 6.3.10);
    // after NOOP it looks again.
    if (auto looked = state_->command("", "NOOP"); !looked)
        return std::unexpected(looked.error());
    auto answer = state_->command("", fmt::format("STATUS {} (UIDVALIDITY UIDNEXT MESSAGES)", *name));
    if (!answer)
        return std::unexpected(answer.error());
    const auto validity = number_after(*answer, "UIDVALIDITY"), next = number_after(*answer, "UIDNEXT"),
               messages = number_after(*answer, "MESSAGES");
    if (!validity || !next)
        return std::unexpected(
            imap_error{imap_error::kind::refused, fmt::format("the answer to STATUS cannot be read: {}",
                                                              base::printable(*answer, 200))});
    return imap_status{*validity, *next, messages.value_or(0)};
}

// One line of answer whatever the number of mails: libcurl adds up what each untagged line brought again for
// every further line, and gives up at 300 kB of that, which is two hundred lines.
imap_result<std::vector<std::uint64_t>> imap_session::list(const std::string& folder, std::uint64_t first,
                                                           std::uint64_t last) {
    auto answer = state_->command(folder, fmt::format("UID SEARCH UID {}:{} UNDELETED", first, last));
    if (!answer)
        return std::unexpected(answer.error());
    std::vector<std::uint64_t> found;
    for (const std::string_view line : base::split(*answer, '\n')) {
        constexpr std::string_view front = "* SEARCH";
        if (!line.starts_with(front))
            continue;
        for (const std::string_view word : base::split(base::trim(line.substr(front.size())), ' ')) {
            std::uint64_t uid = 0;
            const auto read = std::from_chars(word.data(), word.data() + word.size(), uid);
            // `first:last` with nothing in between may name the last mail of the folder (RFC 3501 6.4.8).
            if (read.ec == std::errc() && read.ptr == word.data() + word.size() && uid >= first &&
                uid <= last)
                found.push_back(uid);
        }
    }
    std::ranges::sort(found);
    const auto again = std::ranges::unique(found);
    found.erase(again.begin(), again.end());
    return found;
}

imap_result<std::string> imap_session::fetch(const std::string& folder, std::uint64_t uid,
                                             std::size_t bytes_max) {
    if (auto ready = state_->prepare(); !ready)
        return std::unexpected(ready.error());
    sink mail;
    mail.limit = bytes_max;
    if (auto done = state_->perform(fmt::format("{}/;UID={}", state_->url(folder), uid), mail); !done)
        return std::unexpected(done.error());
    return std::move(mail.bytes);
}

imap_result<void> imap_session::mark_seen(const std::string& folder, const std::vector<std::uint64_t>& uids) {
    if (uids.empty())
        return {};
    auto done = state_->command(folder, fmt::format("UID STORE {} +FLAGS.SILENT (\\Seen)", uid_set(uids)));
    if (!done)
        return std::unexpected(done.error());
    return {};
}

imap_result<void> imap_session::move(const std::string& folder, const std::vector<std::uint64_t>& uids,
                                     const std::string& target) {
    if (uids.empty())
        return {};
    const auto name = quoted(target);
    if (!name)
        return std::unexpected(
            imap_error{imap_error::kind::refused, "a folder name with control characters"});
    const std::string set = uid_set(uids);
    auto capabilities = state_->command("", "CAPABILITY");
    if (!capabilities)
        return std::unexpected(capabilities.error());
    const bool has_move =
        number_after(*capabilities, "MOVE") || capabilities->find(" MOVE") != std::string::npos;
    const std::string words = fmt::format("UID {} {} {}", has_move ? "MOVE" : "COPY", set, *name);
    auto done = state_->command(folder, words);
    if (!done && done.error().what == imap_error::kind::refused) { // most often: no such folder yet
        if (auto made = state_->command("", fmt::format("CREATE {}", *name)); !made)
            return std::unexpected(done.error());
        done = state_->command(folder, words);
    }
    if (!done)
        return std::unexpected(done.error());
    return has_move ? imap_result<void>{} : remove(folder, uids);
}

imap_result<void> imap_session::remove(const std::string& folder, const std::vector<std::uint64_t>& uids) {
    if (uids.empty())
        return {};
    const std::string set = uid_set(uids);
    auto done = state_->command(folder, fmt::format("UID STORE {} +FLAGS.SILENT (\\Deleted)", set));
    if (done)
        done = state_->command(folder, fmt::format("UID EXPUNGE {}", set));
    if (!done)
        return std::unexpected(done.error());
    return {};
}

} // namespace mailtight::io
