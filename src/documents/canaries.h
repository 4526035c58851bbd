#pragma once

#include "documents/access.h"
#include "documents/store.h"

#include "cloison/documents/v1/documents.pb.h"

namespace cloison::documents {

/// The documents of invented persons, docs/formats/canaries.md: rows and files like any other's.

/// The largest canary has so many chunks: they fit one message.
inline constexpr std::uint32_t kMaxCanaryChunks = 48;

/// What a canary should look like: a document drawn by the request's lot.
Result<v1::DescribeCanaryResponse> describe_canary(const DocumentStore& store,
                                                   const v1::DescribeCanaryRequest& request);
/// Stores one for the person of the enrolment, under a case that there is not.
Result<v1::PlantCanaryResponse> plant_canary(DocumentStore& store, const Access& access,
                                             NewDocument document,
                                             const v1::PlantCanaryRequest& request);

}  // namespace cloison::documents
