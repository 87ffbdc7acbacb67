<?php defined('SYSPATH') OR die('No direct script access.');

class Tortoise_Service extends Kohana_Tortoise_Service {}
