// Every message of every service of proto/: a list of the number of a message (u16) and its bytes.
// Beyond not crashing: a message that is read is written and read again the same, and what is
// written is bounded by what came in.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>

#include "target.h"

#include "cloison/casework/v1/casework.pb.h"
#include "cloison/documents/v1/documents.pb.h"
#include "cloison/identity/v1/identity.pb.h"
#include "cloison/keeper/v1/keeper.pb.h"

namespace cloison::fuzz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

/// Request and response types of all methods, one after another.
const std::vector<const Descriptor*>& types() {
    static const auto all = [] {
        std::vector<const Descriptor*> found;
        for (const auto* file : {keeper::v1::DescribeRequest::descriptor()->file(),
                                 casework::v1::CreateRequestRequest::descriptor()->file(),
                                 documents::v1::FinishRequest::descriptor()->file(),
                                 identity::v1::SignInRequest::descriptor()->file()})
            for (int s = 0; s < file->service_count(); ++s)
                for (int m = 0; m < file->service(s)->method_count(); ++m) {
                    found.push_back(file->service(s)->method(m)->input_type());
                    found.push_back(file->service(s)->method(m)->output_type());
                }
        return found;
    }();
    return all;
}

bool read(const Descriptor* type, ByteView bytes) {
    const Message* prototype = MessageFactory::generated_factory()->GetPrototype(type);
    const std::unique_ptr<Message> message(prototype->New());
    if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
    const std::string written = message->SerializeAsString();
    // A negative number of a narrow type is read from five bytes and written in ten.
    require(written.size() <= 2 * bytes.size(), "what is written is bounded by what was read");
    const std::unique_ptr<Message> again(prototype->New());
    require(again->ParseFromString(written), "what is written is read");
    require(again->SerializeAsString() == written, "a message is written the same again");
    return true;
}

bool run(ByteView input) {
    Input in(input);
    bool all = !in.empty();
    while (!in.empty()) {
        const std::size_t number = in.u16();
        all = read(types()[number % types().size()], in.sized()) && all;
    }
    return all;
}

/// Fills every field once, and repeated ones twice, three levels deep.
void fill(Message& message, int depth) {
    using Field = google::protobuf::FieldDescriptor;
    const auto* reflection = message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
        const Field* field = message.GetDescriptor()->field(i);
        const int times = field->is_repeated() ? 2 : 1;
        for (int t = 0; t < times; ++t) switch (field->cpp_type()) {
                case Field::CPPTYPE_MESSAGE:
                    if (depth > 0)
                        fill(field->is_repeated() ? *reflection->AddMessage(&message, field)
                                                  : *reflection->MutableMessage(&message, field),
                             depth - 1);
                    break;
                case Field::CPPTYPE_STRING:
                    if (field->is_repeated())
                        reflection->AddString(&message, field, field->name());
                    else
                        reflection->SetString(&message, field, field->name());
                    break;
                case Field::CPPTYPE_UINT64:
                    if (!field->is_repeated()) reflection->SetUInt64(&message, field, 1ULL << 40);
                    break;
                case Field::CPPTYPE_INT64:
                    if (!field->is_repeated()) reflection->SetInt64(&message, field, -1);
                    break;
                case Field::CPPTYPE_UINT32:
                    if (field->is_repeated())
                        reflection->AddUInt32(&message, field, 300);
                    else
                        reflection->SetUInt32(&message, field, 300);
                    break;
                case Field::CPPTYPE_BOOL:
                    if (!field->is_repeated()) reflection->SetBool(&message, field, true);
                    break;
                default:
                    break;
            }
    }
}

std::vector<Seed> seeds() {
    constexpr std::size_t kMessages = 6;
    std::vector<Seed> seeds;
    for (std::size_t i = 0; i < types().size(); ++i) {
        if (i % kMessages == 0) seeds.push_back({"messages-" + std::to_string(i), {}});
        const std::unique_ptr<Message> message(
            MessageFactory::generated_factory()->GetPrototype(types()[i])->New());
        fill(*message, 2);
        put_u16(seeds.back().bytes, static_cast<std::uint16_t>(i));
        put_sized(seeds.back().bytes, message->SerializeAsString());
    }
    return seeds;
}

const Registration registration({"rpc_message", run, seeds});

}  // namespace
}  // namespace cloison::fuzz
