#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <typeinfo>

#include "cli/command_line.h"

namespace {

/// One line, and the exit code of work that failed. Only the words of the operating system are
/// repeated: those of a parser may quote what it read.
int gave_up(const std::string& words) {
    std::fprintf(stderr, "cloison: %s\n", words.c_str());
    return 1;
}

}  // namespace

/// Errors are values here; what the standard library throws nonetheless, such as for a working
/// directory that was removed, ends here and not in an abort.
int main(int argc, char** argv) {
    try {
        return cloison::cli::run_command_line(argc, argv);
    } catch (const std::system_error& error) {
        return gave_up(error.what());
    } catch (const std::bad_alloc&) {
        return gave_up("There is not enough memory.");
    } catch (const std::exception& error) {
        return gave_up(std::string("An error that nothing expected, of the type ") +
                       typeid(error).name());
    }
}
