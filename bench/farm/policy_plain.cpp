// SPDX-License-Identifier: Apache-2.0
// policy_plain WHERE DOMAINS: policy_floor's table behind io::request_server, so that the cost of its
// connections can be told from the cost of the policy service.
#include "io/request_server.h"
#include "policy_names.h"
#include "wire/netstring.h"

#include <cstdio>
#include <unordered_map>

using namespace mailtight;

namespace {

struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using replies = std::unordered_map<std::string, std::string, text_hash, std::equal_to<>>;

class plain_session final : public io::request_session {
public:
    plain_session(const replies& table, std::shared_ptr<io::request_link> link)
        : table_(table)
        , link_(std::move(link)) {}
    std::size_t received(std::string_view bytes, std::string& out) override {
        std::size_t used = 0;
        for (;;) {
            const auto got = wire::read_netstring(bytes.substr(used), 10'000);
            if (got.what == wire::netstring_read::state::partial)
                return used;
            if (got.what != wire::netstring_read::state::complete) {
                link_->finish();
                return bytes.size();
            }
            used += got.size;
            const auto found = table_.find(got.payload.substr(got.payload.find(' ') + 1));
            if (found == table_.end())
                wire::append_netstring(out, "NOTFOUND ");
            else
                out += found->second;
        }
    }
    bool idle() const override { return true; }

private:
    const replies& table_;
    std::shared_ptr<io::request_link> link_;
};

} // namespace

int main(int count, char** words) {
    if (count < 3) {
        std::fprintf(stderr, "policy_plain WHERE DOMAINS\n");
        return 2;
    }
    replies table;
    const long domains = std::atol(words[2]);
    for (long i = 0; i < domains; ++i)
        wire::append_netstring(table[bench::domain(i)], "OK " + bench::reply(i));
    const std::string where = words[1];
    io::loop on;
    io::request_server server(on, {}, [&table](std::shared_ptr<io::request_link> link, const io::peer&) {
        return std::make_unique<plain_session>(table, std::move(link));
    });
    const auto at = io::parse_listen_address(where[0] == '/' ? "unix:" + where : "127.0.0.1:" + where, 0);
    if (!at)
        return 3;
    if (const auto listens = server.listen(*at); !listens) {
        std::fprintf(stderr, "%s\n", listens.error().c_str());
        return 3;
    }
    on.run();
    return 0;
}
