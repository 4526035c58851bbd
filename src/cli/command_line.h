#pragma once

namespace cloison::cli {

/// The `cloison` program: one subcommand for each service and tool. Returns the exit code: 0 done,
/// 1 the work failed (one line on standard error says why), 2 the command line is wrong.
int run_command_line(int argc, char** argv);

}  // namespace cloison::cli
