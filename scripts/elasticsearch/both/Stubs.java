// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package auspex;

import java.util.List;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;

/**
 * Answers what clients ask before they trust a server, and what is not in the
 * published jars: the root path, and x-pack's license. Fixed text, apart from the version.
 */
final class Stubs {
    private Stubs() {}

    static List<RestHandler> all() {
        String license = "{\"status\":\"active\",\"uid\":\"00000000-0000-0000-0000-000000000000\",\"type\":\"basic\",\"mode\":\"basic\"}";
        return List.of(
            new Stub("/", "{\"name\":\"auspex-test\",\"cluster_name\":\"auspex-test\",\"cluster_uuid\":\"00000000000000000000000\","
                + "\"version\":{\"number\":\"" + Build.current().version() + "\",\"build_flavor\":\"default\",\"lucene_version\":\""
                + org.apache.lucene.util.Version.LATEST + "\"},\"tagline\":\"You Know, for Search\"}"),
            new Stub("/_license", "{\"license\":" + license + "}"),
            new Stub("/_xpack", "{\"license\":" + license + ",\"features\":{}}"));
    }

    private static final class Stub extends BaseRestHandler {
        private final String path;
        private final String body;

        Stub(String path, String body) {
            this.path = path;
            this.body = body;
        }

        @Override
        public String getName() {
            return "auspex_stub" + path.replace('/', '_');
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, path), new Route(RestRequest.Method.HEAD, path));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            // The server rejects a request with a parameter that the handler did not read.
            request.params().keySet().forEach(request::param);
            return channel -> channel.sendResponse(new RestResponse(RestStatus.OK, "application/json", body));
        }
    }
}
