// Load on a running keeper, and the judge of what it answered.
//
//   keeper_load VAR SEED THREADS LOG REGISTER
//
// Opens sealed values of many persons for several actors and purposes, reads histories and proofs,
// journal lines and blind indexes, enrols, erases and rotates, from THREADS threads, while somebody
// else kills the keeper or fails its disk. It calls as the services do, with their keys from VAR.
// REGISTER is the register that the keeper runs with; LOG gets "index leaf-hash actor person" for
// every plaintext that was released.
//
// Each line of standard input is answered with one line of JSON:
//
//   check   waits until nothing is under way, then holds all that was ever answered against the
//           journal as it is now; goes on afterwards
//   figures   how many disclosures were acknowledged and persons erased, so far
//   mark    waits until nothing is under way, and remembers the last line that each caller was told
//   of;
//           for a keeper that was just killed
//   recovered   holds what was remembered against the keeper that was started anew, under load
//   pause, go   stop the load, and let it go on
//   stop    as check, and ends
//
// Whatever a keeper may never do ends the program at once with exit code 3 and a line on standard
// error that begins with "VIOLATION:".

#include <iostream>

#include "base/log.h"
#include "load.h"

using namespace cloison;

int main(int argc, char** argv) {
    crypto::initialize();
    set_log_level(LogLevel::kError);
    if (argc != 6) {
        std::fprintf(stderr, "usage: keeper_load VAR SEED THREADS LOG REGISTER\n");
        return 2;
    }
    const auto registry = registry::Registry::load(local_file_system(), argv[5]);
    if (!registry) {
        std::fprintf(stderr, "keeper_load: %s\n", registry.error().message.c_str());
        return 2;
    }
    faults::Load load(argv[1], *registry, std::stoull(argv[2]), std::stoi(argv[3]), argv[4]);
    load.prepare();
    load.start();
    std::cout << "running" << std::endl;
    std::string command;
    while (std::getline(std::cin, command)) {
        std::string answer = "{}";
        if (command == "check") {
            answer = load.check();
        } else if (command == "figures") {
            answer = load.figures();
        } else if (command == "mark") {
            answer = load.mark();
        } else if (command == "recovered") {
            answer = load.recovered();
        } else if (command == "pause") {
            load.pause();
        } else if (command == "go") {
            load.go();
        } else if (command == "stop") {
            answer = load.check();
            load.stop();
            std::cout << answer << std::endl;
            return 0;
        }
        std::cout << answer << std::endl;
    }
    load.stop();
    return 0;
}
