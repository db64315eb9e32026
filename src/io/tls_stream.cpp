// SPDX-License-Identifier: Apache-2.0
#include "io/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>

namespace mailtight::io {

namespace {

constexpr std::size_t record_bytes = 16'384 + 512;

constexpr std::size_t kept_bytes = 1'024;

BIO* new_buffer() {
    BIO* buffer = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(buffer, -1);
    return buffer;
}

/// An empty buffer that has grown by what went through it.
bool is_slack(BIO* buffer) {
    BUF_MEM* memory = nullptr;
    BIO_get_mem_ptr(buffer, &memory);
    return memory && memory->max > kept_bytes && BIO_ctrl_pending(buffer) == 0;
}

/// Before a wait of unknown length: a silent connection holds no buffers.
void release_slack(SSL* ssl) {
    if (is_slack(SSL_get_rbio(ssl)))
        SSL_set0_rbio(ssl, new_buffer());
    if (is_slack(SSL_get_wbio(ssl)))
        SSL_set0_wbio(ssl, new_buffer());
}

} // namespace

tls_stream::tls_stream(std::unique_ptr<stream> plain, ssl_ptr ssl)
    : plain_(std::move(plain))
    , ssl_(std::move(ssl)) {
    SSL_set_bio(ssl_.get(), new_buffer(), new_buffer()); // owned by the SSL
}

tls_stream::~tls_stream() {
    close();
}

task<std::optional<handshake_failure>> tls_stream::handshake(loop::time_point deadline) {
    for (;;) {
        ERR_clear_error();
        const int result = SSL_do_handshake(ssl_.get());
        const int error = SSL_get_error(ssl_.get(), result);
        // The queue is the thread's: it is read before anybody else runs.
        const unsigned long queued = result == 1 ? 0 : ERR_peek_error();
        ERR_clear_error();
        auto status = co_await flush(deadline);
        if (result == 1)
            co_return std::nullopt;
        if (error != SSL_ERROR_WANT_READ) {
            broken_ = true;
            co_return handshake_failure{.error = queued, .looks_tls = looks_tls()};
        }
        if (status == io_status::ok)
            status = co_await fill(deadline);
        if (status != io_status::ok) {
            broken_ = true;
            co_return handshake_failure{.timed_out = status == io_status::timeout,
                                        .closed = status == io_status::eof || status == io_status::reset,
                                        .looks_tls = looks_tls(),
                                        .connection = "the connection broke"};
        }
    }
}

task<read_result> tls_stream::read_some(std::size_t limit, loop::time_point deadline) {
    static thread_local std::array<char, record_bytes> buffer;
    limit = std::min(limit, record_bytes);
    while (!broken_ && limit > 0) {
        std::size_t got = 0;
        ERR_clear_error();
        const int ok = SSL_read_ex(ssl_.get(), buffer.data(), limit, &got);
        const int error = SSL_get_error(ssl_.get(), ok);
        ERR_clear_error();
        if (ok == 1)
            co_return read_result{io_status::ok, std::string(buffer.data(), got)};
        if (error == SSL_ERROR_ZERO_RETURN)
            co_return read_result{io_status::eof, {}};
        if (error != SSL_ERROR_WANT_READ)
            break;
        auto status = co_await flush(deadline);
        release_slack(ssl_.get());
        if (status == io_status::ok)
            status = co_await fill(deadline);
        if (status == io_status::eof)
            status = io_status::reset; // no close-notify: whoever sits on the path may have cut it
        if (status != io_status::ok)
            co_return read_result{status, {}};
    }
    broken_ = true;
    co_return read_result{io_status::failed, {}};
}

task<io_status> tls_stream::write_all(std::string bytes, loop::time_point deadline) {
    std::string_view left = bytes;
    while (!left.empty()) {
        std::size_t put = 0;
        ERR_clear_error();
        const int ok = broken_ ? 0 : SSL_write_ex(ssl_.get(), left.data(), left.size(), &put);
        ERR_clear_error();
        // The memory buffer takes everything, so a write never has to wait for a read.
        if (ok != 1) {
            broken_ = true;
            co_return io_status::failed;
        }
        left.remove_prefix(put);
        if (const auto status = co_await flush(deadline); status != io_status::ok)
            co_return status;
    }
    co_return io_status::ok;
}

void tls_stream::interrupt() {
    if (plain_)
        plain_->interrupt();
}

void tls_stream::say_goodbye() {
    if (broken_ || !SSL_is_init_finished(ssl_.get()))
        return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    plain_->try_write(pending());
}

void tls_stream::finish_writing() {
    if (!plain_)
        return;
    say_goodbye();
    plain_->finish_writing();
}

void tls_stream::close() {
    if (!plain_)
        return;
    say_goodbye();
    plain_->close();
    plain_.reset();
    broken_ = true;
}

std::string tls_stream::pending() {
    BIO* out = SSL_get_wbio(ssl_.get());
    std::string bytes(BIO_ctrl_pending(out), '\0');
    if (!bytes.empty())
        BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

task<io_status> tls_stream::flush(loop::time_point deadline) {
    auto bytes = pending();
    if (bytes.empty())
        co_return io_status::ok;
    if (!plain_)
        co_return io_status::failed;
    co_return co_await plain_->write_all(std::move(bytes), deadline);
}

task<io_status> tls_stream::fill(loop::time_point deadline) {
    if (!plain_)
        co_return io_status::failed;
    auto got = co_await plain_->read_some(record_bytes, deadline);
    if (got.status == io_status::ok) {
        if (first_bytes_.size() < 3)
            first_bytes_ += got.bytes.substr(0, 3 - first_bytes_.size());
        BIO_write(SSL_get_rbio(ssl_.get()), got.bytes.data(), static_cast<int>(got.bytes.size()));
    }
    co_return got.status;
}

/// The first record is a handshake record or an alert of SSL 3.0 or later, or nothing has come.
bool tls_stream::looks_tls() const {
    return first_bytes_.empty() || ((first_bytes_[0] == 0x16 || first_bytes_[0] == 0x15) &&
                                    (first_bytes_.size() < 2 || first_bytes_[1] == 3));
}

} // namespace mailtight::io
