// SPDX-License-Identifier: Apache-2.0
// gzip by libdeflate, which wants the whole output at once: the buffer starts at what the trailer claims,
// held within the limits, and doubles where that was too little.
#include "base/compress.h"

#include "base/inflate_ceiling.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

namespace mailtight::base {
namespace {

constexpr std::size_t smallest_member = 18; // header and trailer, RFC 1952 §2.3
constexpr std::size_t spare = 64;

struct free_decompressor {
    void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
struct free_compressor {
    void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};

// One a thread: setting one up costs more than a small report.
libdeflate_decompressor* decompressor() {
    thread_local const std::unique_ptr<libdeflate_decompressor, free_decompressor> kept{
        libdeflate_alloc_decompressor()};
    if (!kept)
        throw std::bad_alloc();
    return kept.get();
}

// Modulo 2^32, of the last member, and anything where the sender lies: only where to begin.
std::size_t claimed_size(std::string_view bytes) {
    std::size_t size = 0;
    for (std::size_t i = 1; i <= 4; ++i)
        size = (size << 8U) | static_cast<unsigned char>(bytes[bytes.size() - i]);
    return size;
}

// libdeflate calls a cut stream bad data: zlib, asked only then, tells which it was.
inflate_problem why_bad(std::string_view bytes, std::size_t ceiling) {
    z_stream stream{};
    if (inflateInit2(&stream, 15 + 16) != Z_OK)
        return inflate_problem::damaged;
    const std::unique_ptr<z_stream, decltype(&inflateEnd)> ends{&stream, &inflateEnd};
    // zlib's interface is not const-correct; it reads only.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(bytes.size(), 0xFFFF'FFFFU));
    std::array<Bytef, 16'384> sink;
    int result = Z_OK;
    do {
        stream.next_out = sink.data();
        stream.avail_out = sink.size();
        result = inflate(&stream, Z_NO_FLUSH);
    } while (result == Z_OK && stream.total_out <= ceiling && (stream.avail_in > 0 || stream.avail_out == 0));
    return stream.avail_in == 0 && (result == Z_OK || result == Z_BUF_ERROR) ? inflate_problem::cut
                                                                             : inflate_problem::damaged;
}

struct member_end {
    std::size_t read, written;
};
// Appends one member to `out`, whose size grows by what came out.
std::expected<member_end, inflate_problem> one_member(std::string_view bytes, std::string& out,
                                                      const inflate_ceiling& most) {
    if (bytes.size() < smallest_member)
        return std::unexpected(inflate_problem::cut);
    const std::size_t before = out.size();
    constexpr std::size_t least = 512;
    std::size_t room = std::clamp(claimed_size(bytes), least, std::max(least, bytes.size() * 1'032));
    while (true) {
        room = std::min(room, most.bytes - before);
        std::size_t read = 0, written = 0;
        libdeflate_result result = LIBDEFLATE_BAD_DATA;
        // Room beyond, which readers that work in wide steps ask for.
        out.resize_and_overwrite(before + room + spare, [&](char* to, std::size_t) {
            result = libdeflate_gzip_decompress_ex(decompressor(), bytes.data(), bytes.size(), to + before,
                                                   room, &read, &written);
            return before + (result == LIBDEFLATE_SUCCESS ? written : 0);
        });
        if (result == LIBDEFLATE_SUCCESS)
            return member_end{read, written};
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE)
            return std::unexpected(why_bad(bytes, most.bytes));
        if (room == most.bytes - before)
            return std::unexpected(most.beyond);
        room *= 2;
    }
}

} // namespace

std::string_view explain(inflate_problem problem) {
    switch (problem) {
    case inflate_problem::not_compressed:
        return "The bytes do not begin as a compressed file of this kind does.";
    case inflate_problem::damaged:
        return "The compressed data is damaged: it does not decode, or its checksum differs.";
    case inflate_problem::cut:
        return "The compressed data ends early.";
    case inflate_problem::too_large:
        return "The decompressed data would be larger than allowed.";
    case inflate_problem::bomb:
        return "The data grows beyond the allowed ratio when decompressed.";
    case inflate_problem::too_many:
        return "The archive has more members than allowed.";
    case inflate_problem::encrypted:
        return "A member of the archive is encrypted.";
    case inflate_problem::unsupported:
        return "A member of the archive is compressed in a way that is not read.";
    }
    return "";
}

bool looks_like_gzip(std::string_view bytes) {
    return bytes.starts_with("\x1f\x8b"); // 8460-6.4-a
}
bool looks_like_zip(std::string_view bytes) {
    using namespace std::string_view_literals;
    return bytes.starts_with("PK\3\4"sv) || bytes.starts_with("PK\5\6"sv);
}

std::expected<inflated, inflate_problem> gunzip(std::string_view bytes, const inflate_limits& limits) {
    if (!looks_like_gzip(bytes))
        return std::unexpected(inflate_problem::not_compressed);
    inflated out;
    out.members = 0;
    const auto most = ceiling_of(bytes.size(), limits);
    do {
        if (out.members == limits.members)
            return std::unexpected(inflate_problem::too_many);
        const auto end = one_member(bytes, out.bytes, most);
        if (!end)
            return std::unexpected(end.error());
        bytes.remove_prefix(end->read);
        ++out.members;
    } while (looks_like_gzip(bytes));
    out.trailing_garbage = !bytes.empty();
    return out;
}

std::string gzip(std::string_view bytes, int level) {
    level = std::clamp(level, 1, 12);
    thread_local std::unique_ptr<libdeflate_compressor, free_compressor> kept;
    thread_local int kept_level = 0;
    if (kept_level != level) {
        kept.reset(libdeflate_alloc_compressor(level));
        kept_level = kept ? level : 0;
    }
    if (!kept)
        throw std::bad_alloc();
    std::string out;
    out.resize_and_overwrite(
        libdeflate_gzip_compress_bound(kept.get(), bytes.size()), [&](char* to, std::size_t room) {
            return libdeflate_gzip_compress(kept.get(), bytes.data(), bytes.size(), to, room);
        });
    return out;
}

} // namespace mailtight::base
