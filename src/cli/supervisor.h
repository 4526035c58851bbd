#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "base/time.h"

namespace cloison::cli {

/// One service as a process of this program.
struct ServiceProcess {
    std::string name;                    ///< "keeper"
    std::vector<std::string> arguments;  ///< After the program's own path.
};

/// Starts services in order, each after the one before reported ready, watches them, restarts one
/// that dies (after 100 ms, doubling to 5 s while it keeps dying within ten seconds of its start),
/// and stops them in reverse order on SIGINT or SIGTERM: SIGTERM, ten seconds, then SIGKILL.
/// Children die with this process even if it is killed. Call from the only thread of the process.
class Supervisor {
  public:
    /// `state_file` tells `cloison status` what runs; of a service whose turn has not come, an
    /// empty "started".
    Supervisor(std::vector<ServiceProcess> services, Path state_file, FileSystem& files,
               Clock& clock);

    /// Starts everything; on the first service that does not become ready, stops the others and
    /// returns its words. `on_ready` is called once when all are ready. Returns after a stop.
    template <class OnReady>
    Status run(OnReady on_ready) {
        CLOISON_TRY_STATUS(start_all());
        on_ready();
        return watch();
    }

  private:
    struct Running {
        int pid = 0;
        Time started;  ///< Time(): not yet.
        int restarts = 0;
        Duration delay{100};
        Time restart_at;  ///< Meaningful while pid is 0.
    };
    Status start_all();
    Status watch();
    Status start(std::size_t which);
    /// Waits for "ready" from the child; its error line otherwise.
    Status await_ready(std::size_t which, int ready_fd);
    void reap();
    void restart_due();
    void stop_all();
    void write_state();

    std::vector<ServiceProcess> services_;
    std::vector<Running> running_;
    Path state_file_;
    FileSystem& files_;
    Clock& clock_;
};

/// In a service process: tells the supervisor (if there is one) that it serves, or why it cannot.
void report_ready();
bool report_failure(const Error& error);  ///< True if there is a supervisor, which prints it.

/// Blocks SIGINT and SIGTERM for all threads that start later; wait_for_stop returns when one
/// comes.
void block_stop_signals();
void wait_for_stop();

}  // namespace cloison::cli
