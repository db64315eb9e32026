// SPDX-License-Identifier: Apache-2.0
// The person's screen: is it a terminal, how wide, with colour; messages on stderr; one live line of
// progress.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailtight::app {

/// Columns of the terminal behind stdout, 80 where it is none, at most 120 (longer lines read badly).
std::size_t terminal_width();
/// Colour on stdout: a terminal, no NO_COLOR, no TERM=dumb.
bool stdout_terminal();
bool stdout_colour();

/// `mailtight: …` on stderr.
void say(std::string_view message);
/// `mailtight: error: …` on stderr, with what to do.
void complain(std::string_view message);
/// Writes all bytes to stdout; false where they did not arrive.
bool print(std::string_view bytes);
/// CSV as it is; on a terminal each line is made fit to be looked at, since its cells hold what others wrote.
bool print_csv(std::string_view csv);
/// Why what print() was given is not all there (a full disk, a closed stdout), as an errno, once; 0: it is,
/// or its reader left before the end, as `head` does.
int print_fault();

/// Fills the standard streams that are closed: the next file or connection that is opened would take the
/// number of one, and messages would be written into it.
void hold_standard_streams();

/// One line on stderr that is rewritten; silent where stderr is no terminal. Removes itself at the end.
class progress_line {
public:
    explicit progress_line(bool wanted = true);
    ~progress_line();
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;
    /// Rewrites the line, cut to the terminal's width.
    void show(const std::string& words);
    void clear();
    bool active() const { return active_; }

private:
    bool active_ = false;
    bool drawn_ = false;
};

} // namespace mailtight::app
