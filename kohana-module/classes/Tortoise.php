<?php defined('SYSPATH') OR die('No direct script access.');

class Tortoise extends Kohana_Tortoise {}
