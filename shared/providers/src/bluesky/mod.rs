mod facets; mod jwt; mod map; mod tid; mod wire;
