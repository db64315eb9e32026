// SPDX-License-Identifier: Apache-2.0
// The tests' own PostgreSQL server (tools/postgres): the one that CTest has started for all of them, else one
// that this process starts at the first call and ends with itself. Each test makes databases of its own in
// it. Header-only, so that any test program can use it; needs libpq.
#pragma once

#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace mailtight::tests {

class private_postgres {
public:
    /// A connection string for one of its databases.
    static std::string where(const std::string& database) { return server().base_ + " dbname=" + database; }
    static std::string create_database() {
        static std::atomic<int> count{0};
        auto name = "t" + std::to_string(::getpid()) + "_" + std::to_string(++count);
        run("create database " + name);
        return name;
    }
    static void drop_database(const std::string& name) {
        run("drop database if exists " + name + " with (force)");
    }
    /// One statement, as the administrator of the server, in the database "postgres" or another.
    static void run(const std::string& statement, const std::string& database = "postgres") {
        PGconn* const on = PQconnectdb(where(database).c_str());
        PGresult* const done = PQexec(on, statement.c_str());
        const auto status = PQresultStatus(done);
        const std::string problem = PQerrorMessage(on);
        PQclear(done);
        PQfinish(on);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw std::runtime_error(statement + ": " + problem);
    }

    ~private_postgres() {
        if (keeper_)
            ::pclose(keeper_);
    }
    private_postgres(const private_postgres&) = delete;
    private_postgres& operator=(const private_postgres&) = delete;

private:
    private_postgres() {
        if (const char* shared = std::getenv("MAILTIGHT_TEST_POSTGRES"); shared && read(shared))
            return;
        const auto note =
            (std::filesystem::temp_directory_path() / ("mailtight-pg-note-" + std::to_string(::getpid())))
                .string();
        // The server lives as long as this pipe: even a test that crashes leaves none behind.
        keeper_ = ::popen(
            ("'" MAILTIGHT_SOURCE_DIR "/tools/postgres' during '" + note + "' >/dev/null").c_str(), "we");
        for (int tries = 0; keeper_ && !read(note); ++tries) {
            if (tries > 1200)
                throw std::runtime_error("no PostgreSQL for the tests: tools/postgres says why");
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }
    bool read(const std::string& note) {
        std::ifstream in(note);
        return static_cast<bool>(std::getline(in, base_));
    }
    static private_postgres& server() {
        static private_postgres one;
        return one;
    }
    std::string base_;
    FILE* keeper_ = nullptr;
};

} // namespace mailtight::tests
