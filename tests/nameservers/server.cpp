// SPDX-License-Identifier: Apache-2.0
#include "server.h"

#include "io/command.h"
#include "io/spawn.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace mailtight::tests {

using namespace std::chrono_literals;

const char* to_string(software s) {
    return s == software::knot ? "knot" : "bind";
}

namespace {

std::string read_file(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

/// The programs find their own libraries.
std::vector<std::string> with_libraries(const std::string& program, std::vector<std::string> words) {
    const auto root = nameserver_tree();
    std::vector<std::string> all{
        "env", "LD_LIBRARY_PATH=" + root + "/usr/lib/" + MAILTIGHT_LIBRARY_ARCHITECTURE, root + program};
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

bool can_bind(const std::string& address, std::uint16_t port, int type) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const bool good = ::bind(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    ::close(fd);
    return good;
}

} // namespace

std::string nameserver_tree() {
    static const std::string root = [] {
        std::string path;
        if (const char* note = std::getenv("MAILTIGHT_TEST_NAMESERVERS"); note && *note != 0) {
            path = read_file(note);
        } else {
            const auto made =
                io::run_command({MAILTIGHT_SOURCE_DIR "/tools/nameservers", "path"}, "", 300s, 4096);
            if (made.exit_status != 0)
                throw std::runtime_error("no name servers: " + made.error + made.said);
            path = made.wrote;
        }
        while (!path.empty() && path.back() == '\n')
            path.pop_back();
        return path;
    }();
    return root;
}

int run_program(const std::string& program, std::vector<std::string> words, std::string& said) {
    auto result = io::run_command(with_libraries(program, std::move(words)), "", 30s, 65'536);
    said = result.error + result.said + result.wrote;
    return result.exit_status;
}

std::uint16_t free_port(const std::vector<std::string>& addresses) {
    // Below the range that the kernel gives to clients; spread, since tests run at once.
    static unsigned next = static_cast<unsigned>(::getpid()) * 37;
    for (int tries = 0; tries < 2'000; ++tries) {
        const auto port = static_cast<std::uint16_t>(10'000 + next++ % 20'000);
        bool good = true;
        for (const auto& address : addresses)
            good = good && can_bind(address, port, SOCK_DGRAM) && can_bind(address, port, SOCK_STREAM);
        if (good)
            return port;
    }
    throw std::runtime_error("no free port");
}

name_server::name_server(server_wish wish)
    : wish_(std::move(wish)) {}

name_server::~name_server() {
    kill();
}

io::endpoint name_server::at() const {
    return {base::ip_address::parse(wish_.address).value(), wish_.port};
}

std::string name_server::log() const {
    return read_file(folder_ / "log");
}

void name_server::write_knot() {
    std::ofstream out(folder_ / "conf");
    const auto path = folder_.path().string();
    const auto add = [&out](const std::string& more) { out << more; };
    add(fmt::format("server:\n    listen: {}@{}\n    rundir: {}\n    udp-workers: 1\n    tcp-workers: 1\n"
                    "    background-workers: 1\n",
                    wish_.address, wish_.port, path));
    add("log:\n  - target: stderr\n    any: debug\n");
    add(fmt::format("database:\n    storage: {}\n    journal-db-max-size: 16M\n    kasp-db-max-size: 16M\n"
                    "    timer-db-max-size: 1M\n    catalog-db-max-size: 16M\n",
                    path));
    add("key:\n");
    for (const std::string key : {key_256, key_512, key_idle}) {
        const auto first = key.find(':'), second = key.find(':', first + 1);
        add(fmt::format("  - id: {}\n    algorithm: {}\n    secret: {}\n", key.substr(0, first),
                        key.substr(first + 1, second - first - 1), key.substr(second + 1)));
    }
    std::string remotes;
    if (!wish_.primary.empty() || !wish_.secondaries.empty())
        add("remote:\n");
    if (!wish_.primary.empty())
        add(fmt::format("  - id: primary\n    address: {}@{}\n", wish_.primary, wish_.port));
    for (const auto& other : wish_.secondaries) {
        add(fmt::format("  - id: at-{}\n    address: {}@{}\n", other, other, wish_.port));
        remotes += fmt::format("{}at-{}", remotes.empty() ? "" : ", ", other);
    }
    add("acl:\n  - id: update\n    key: [push.example.com, big.example.com]\n    action: update\n");
    if (wish_.only_our_names)
        add("    update-owner: name\n    update-owner-match: equal\n"
            "    update-owner-name: [_mta-sts, _smtp._tls, mta-sts, _acme-challenge.mta-sts]\n"
            "    update-type: [TXT, CNAME, A, AAAA]\n");
    add("  - id: transfer\n    address: 127.0.0.0/8\n    action: [transfer, notify]\n"
        "  - id: signed-transfer\n    key: [push.example.com, big.example.com]\n    action: transfer\n");
    add(fmt::format("zone:\n  - domain: {}\n    file: {}/zone\n", wish_.zone, path));
    if (wish_.primary.empty()) {
        add("    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: changes\n");
        add("    acl: [update, transfer, signed-transfer]\n");
        if (!remotes.empty())
            add("    notify: [" + remotes + "]\n");
    } else {
        add("    master: primary\n    acl: transfer\n");
    }
}

void name_server::write_bind() {
    std::ofstream out(folder_ / "conf");
    const auto path = folder_.path().string();
    out << fmt::format(
        "options {{ directory \"{0}\"; listen-on port {1} {{ {2}; }}; listen-on-v6 {{ none; }};\n"
        "  pid-file \"{0}/pid\"; session-keyfile \"{0}/session.key\"; recursion no;\n"
        "  lock-file none; dnssec-validation no; notify {3}; notify-delay 0; {4}\n"
        "  allow-transfer {{ 127.0.0.0/8; }}; empty-zones-enable no; managed-keys-directory \"{0}\";\n"
        "  transfer-source {2}; notify-source {2}; max-journal-size 1M; check-names primary ignore; }};\n"
        "controls {{ }};\n",
        path, wish_.port, wish_.address, wish_.secondaries.empty() ? "no" : "explicit",
        wish_.primary.empty() ? "" : "allow-notify { 127.0.0.0/8; }; min-refresh-time 1;");
    for (const std::string key : {key_256, key_512, key_idle}) {
        const auto first = key.find(':'), second = key.find(':', first + 1);
        out << fmt::format("key \"{}\" {{ algorithm {}; secret \"{}\"; }};\n", key.substr(0, first),
                           key.substr(first + 1, second - first - 1), key.substr(second + 1));
    }
    if (!wish_.primary.empty()) {
        out << fmt::format("zone \"{}\" {{ type secondary; file \"zone\"; primaries port {} {{ {}; }}; }};\n",
                           wish_.zone, wish_.port, wish_.primary);
        return;
    }
    std::string others;
    for (const auto& other : wish_.secondaries)
        others += fmt::format("{} port {}; ", other, wish_.port);
    const std::string rules =
        wish_.only_our_names ? "update-policy { grant push.example.com name _mta-sts.example.com. TXT CNAME;"
                               " grant push.example.com name _smtp._tls.example.com. TXT CNAME;"
                               " grant push.example.com name mta-sts.example.com. A AAAA CNAME;"
                               " grant push.example.com name _acme-challenge.mta-sts.example.com. TXT; };"
                             : "allow-update { key \"push.example.com\"; key \"big.example.com\"; };";
    out << fmt::format("zone \"{}\" {{ type primary; file \"zone\"; {}\n  {} }};\n", wish_.zone,
                       others.empty() ? "" : fmt::format("also-notify {{ {} }};", others), rules);
}

void name_server::start() {
    if (!std::filesystem::exists(folder_ / "conf")) {
        if (wish_.primary.empty())
            std::ofstream(folder_ / "zone") << wish_.content;
        wish_.kind == software::knot ? write_knot() : write_bind();
    }
    const auto words = wish_.kind == software::knot
                           ? with_libraries("/usr/sbin/knotd", {"-c", folder_ / "conf"})
                           : with_libraries("/usr/sbin/named", {"-g", "-n", "1", "-c", folder_ / "conf"});
    const int log = ::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int error = io::spawn_program(pid_, words, -1, log, log);
    ::close(log);
    if (error != 0)
        throw std::runtime_error("the name server cannot be started");
    const auto until = std::chrono::steady_clock::now() + 20s;
    for (;;) {
        io::loop loop;
        const auto said = loop.block_on(io::ask_server(loop, at(), wish_.zone, "SOA", 500ms));
        if (said.status == model::dns_status::ok && said.detail.empty())
            return;
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = 0;
            throw std::runtime_error("the name server ended: " + this->log());
        }
        if (std::chrono::steady_clock::now() > until)
            throw std::runtime_error("the name server does not answer: " + this->log());
        std::this_thread::sleep_for(50ms);
    }
}

void name_server::stop() {
    if (pid_ == 0)
        return;
    ::kill(pid_, SIGCONT);
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
}

void name_server::kill() {
    if (pid_ == 0)
        return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
}

void name_server::pause() {
    ::kill(pid_, SIGSTOP);
}

void name_server::go_on() {
    ::kill(pid_, SIGCONT);
}

} // namespace mailtight::tests
