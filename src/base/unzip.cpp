// SPDX-License-Identifier: Apache-2.0
// zip by libzip, from memory and in steps: what a directory claims about sizes is not believed.
#include "base/compress.h"
#include "base/inflate_ceiling.h"

#include <sys/stat.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <memory>

namespace mailtight::base {
namespace {

struct discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct close_file {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using archive_ptr = std::unique_ptr<zip_t, discard>;
using file_ptr = std::unique_ptr<zip_file_t, close_file>;

inflate_problem problem_of(int code) {
    switch (code) {
    case ZIP_ER_COMPNOTSUPP:
    case ZIP_ER_MULTIDISK:
    case ZIP_ER_OPNOTSUPP:
        return inflate_problem::unsupported;
    case ZIP_ER_ENCRNOTSUPP:
    case ZIP_ER_NOPASSWD:
    case ZIP_ER_WRONGPASSWD:
        return inflate_problem::encrypted;
    case ZIP_ER_NOZIP: // it began as one; the directory, which comes last, is missing
    case ZIP_ER_EOF:
        return inflate_problem::cut;
    default:
        return inflate_problem::damaged;
    }
}

std::expected<archive_ptr, inflate_problem> open_archive(std::string_view bytes) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    zip_t* archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
    const int code = zip_error_code_zip(&error);
    zip_error_fini(&error);
    if (archive)
        return archive_ptr{archive};
    zip_source_free(source); // zip_open_from_source() leaves it to us where it fails; null is fine
    return std::unexpected(problem_of(code));
}

// Folders, links and devices hold no report.
bool is_regular(zip_t* archive, zip_uint64_t index, std::string_view name) {
    if (name.ends_with('/'))
        return false;
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    if (zip_file_get_external_attributes(archive, index, 0, &system, &attributes) != 0 ||
        system != ZIP_OPSYS_UNIX)
        return true;
    const auto kind = (attributes >> 16U) & S_IFMT;
    return kind == 0 || kind == S_IFREG;
}

std::expected<std::string, inflate_problem>
read_member(zip_t* archive, zip_uint64_t index,
            inflate_ceiling& rest // what all members together may still grow to
) {
    const file_ptr file{zip_fopen_index(archive, index, 0)};
    if (!file)
        return std::unexpected(problem_of(zip_error_code_zip(zip_get_error(archive))));
    std::string out;
    std::array<char, 16'384> step;
    while (true) {
        const auto got = zip_fread(file.get(), step.data(), step.size());
        if (got == 0)
            return out;
        if (got < 0)
            return std::unexpected(problem_of(zip_error_code_zip(zip_file_get_error(file.get()))));
        const auto count = static_cast<std::size_t>(got);
        if (count > rest.bytes)
            return std::unexpected(rest.beyond);
        rest.bytes -= count;
        out.append(step.data(), count);
    }
}

} // namespace

std::expected<std::vector<zip_member>, inflate_problem> unzip(std::string_view bytes,
                                                              const inflate_limits& limits) {
    if (!looks_like_zip(bytes))
        return std::unexpected(inflate_problem::not_compressed);
    const auto archive = open_archive(bytes);
    if (!archive)
        return std::unexpected(archive.error());
    const auto entries = zip_get_num_entries(archive->get(), 0);
    if (entries < 0)
        return std::unexpected(inflate_problem::damaged);
    const auto count = static_cast<zip_uint64_t>(entries);
    if (count > limits.members)
        return std::unexpected(inflate_problem::too_many);
    inflate_ceiling rest = ceiling_of(bytes.size(), limits);
    std::vector<zip_member> out;
    for (zip_uint64_t i = 0; i < count; ++i) {
        zip_stat_t about;
        zip_stat_init(&about);
        if (zip_stat_index(archive->get(), i, 0, &about) != 0)
            return std::unexpected(inflate_problem::damaged);
        // 8460-6.3-a: the name is only ever text.
        const std::string name = (about.valid & ZIP_STAT_NAME) != 0 ? about.name : "";
        if (!is_regular(archive->get(), i, name))
            continue;
        if ((about.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && about.encryption_method != ZIP_EM_NONE)
            return std::unexpected(inflate_problem::encrypted);
        auto member = read_member(archive->get(), i, rest);
        if (!member)
            return std::unexpected(member.error());
        out.push_back({name, std::move(*member)});
    }
    return out;
}

} // namespace mailtight::base
