"""What the APIs share: how a dlt `RESTAPIConfig` is read completely, politely and typed."""
