/**
 * Lists as the API server wrote them. The client makes a model of each object with all fields that could be there:
 * of thousands of Pods and Services, that is most of what the daemon would do, and of its memory.
 */
import { HttpInfo, type ResponseContext, type V1ListMeta } from '@kubernetes/client-node';
import { CoreV1ApiResponseProcessor } from '@kubernetes/client-node/dist/gen/apis/CoreV1Api.js';

interface PlainList {
  metadata?: V1ListMeta & { continue?: string };
}

/** Reads lists of what the daemon follows. Their times are texts, where the client says `Date`, as in a watch. */
export class PlainLists extends CoreV1ApiResponseProcessor {
  override listNamespacedPodWithHttpInfo = orElse(super.listNamespacedPodWithHttpInfo);
  override listNamespacedServiceWithHttpInfo = orElse(super.listNamespacedServiceWithHttpInfo);
  override listNamespacedEndpointsWithHttpInfo = orElse(super.listNamespacedEndpointsWithHttpInfo);
}

type Read<T> = (response: ResponseContext) => Promise<HttpInfo<T>>;

/** @param failed tells what another answer than 200 means */
function orElse<T extends PlainList>(failed: Read<T>): Read<T> {
  return async (response) => {
    if (response.httpStatusCode !== 200) return failed(response);
    const list: T = JSON.parse(await response.body.text());
    const { metadata } = list;
    // By the name that the client has for it.
    if (metadata?.continue) metadata._continue = metadata.continue;
    return new HttpInfo(response.httpStatusCode, response.headers, response.body, list);
  };
}
